"""Tests of the current settings: changes are reported to listeners and saved, and stored values are checked."""

from __future__ import annotations

import asyncio
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from api.settings import DEFAULT_PORT
from desktop.platform.task_set import TaskSet
from desktop.platform.theme import Theme
from desktop.settings.all_settings import Settings
from desktop.settings.current_settings import AppSettings
from desktop.settings.rows import ChoiceSetting, StepsSetting, SwitchSetting, make_rows, next_step
from desktop.settings.setting_field import row_of
from desktop.settings.settings_file import SettingsFile
from tests.desktop.conftest import Run


def opened(path: Path) -> tuple[AppSettings, TaskSet]:
    tasks = TaskSet(lambda error, name: None)
    return AppSettings(SettingsFile(path), tasks), tasks


def test_changed_setting_is_reported_once_to_listeners_and_saved(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        settings, tasks = opened(tmp_path / "settings.json")
        seen: list[object] = []
        settings.on_change("theme", seen.append)
        settings.change(theme="dark", tray=False)
        settings.change(theme="dark")
        assert seen == ["dark"]
        await tasks.join()
        stored = json.loads((tmp_path / "settings.json").read_text())
        assert (stored["theme"], stored["tray"]) == ("dark", False)

    run(story())


def test_listener_of_all_settings_is_not_called_if_no_value_changed(run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        settings, tasks = opened(tmp_path / "settings.json")
        seen: list[Settings] = []
        settings.on_any_change(lambda: seen.append(settings.value))
        settings.change(theme="dark", tray=False)
        settings.change(theme="dark")
        assert seen == [Settings(theme="dark", tray=False)]
        await tasks.join()

    run(story())


def test_endpoint_setting_and_api_have_the_same_default_port() -> None:
    assert Settings().endpoint_port == DEFAULT_PORT


@pytest.mark.parametrize(
    ("name", "value"),
    [("theme", "pink"), ("text_size", 99), ("endpoint_port", 0), ("tray", "yes"), ("shortcuts", {"find": 1}),
     ("model_folders", [1]), ("updates", "maybe")],
)  # fmt: skip
def test_invalid_stored_value_is_replaced_by_the_default(tmp_path: Path, name: str, value: object) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({name: value, "stays": True}))
    settings = SettingsFile(path).value
    assert getattr(settings, name) == getattr(Settings(), name)
    assert settings.stays


def test_every_row_of_the_settings_page_shows_and_changes_its_setting(
    run: Run, qtbot: QtBot, theme: Theme, tmp_path: Path
) -> None:
    async def story() -> None:
        settings, tasks = opened(tmp_path / "settings.json")
        parent = QWidget()
        qtbot.addWidget(parent)
        rows: dict[str, Any] = {name: row for name, (_, row) in make_rows(settings, theme, parent).items()}
        assert set(rows) == {field.name for field in fields(Settings) if row_of(field) is not None}
        for name, row in rows.items():
            before = getattr(settings.value, name)
            match row:
                case SwitchSetting():
                    row.switch.click()
                case ChoiceSetting():
                    row.buttons["dark" if name == "theme" else "de"].click()
                case StepsSetting():
                    row.larger.click()
            assert getattr(settings.value, name) != before, name
        await tasks.join()
        settings.change(theme="light")
        assert rows["theme"].buttons["light"].isChecked()
        await tasks.aclose()
        await asyncio.sleep(0)

    run(story())


def test_next_value_of_a_stepped_setting_stays_within_its_bounds() -> None:
    assert next_step((11, 13, 16), 13, 1) == 16
    assert next_step((11, 13, 16), 16, 1) == 16
    assert next_step((11, 13, 16), 12, -1) == 11

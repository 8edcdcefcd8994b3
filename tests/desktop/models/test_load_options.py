"""How a model is to be loaded: chosen at the page, kept for each file, and used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.error_messages import error_message
from desktop.models.load_options import LoadOptions
from desktop.settings.settings_file import SettingsFile
from engine.backend import LoadSettings
from engine.errors import InvalidSettings
from engine.files.profile import Profile
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.models.page_driver import click, keep_folder, page_of, rows, use_of
from tests.engine.library.fake_hub import FakeHub


def test_settings_are_kept_for_each_file_and_used(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, model_folder: Path, profile: Profile
) -> None:
    keep_folder(profile, model_folder)
    path = model_folder / "Alpha-Q4_0.gguf"

    async def story() -> None:
        async with open_gui(real=path) as gui:
            page = page_of(gui)
            gui.window.sidebar._models.click()
            await until(lambda: gui.ready and use_of(gui, "Alpha") == "in_use")
            await until(lambda: rows(page.local_models.view)[0].fit is not None)
            click(page.local_models.view, "Alpha", "settings")
            sheet = page.sheet
            assert sheet.load.isHidden()
            before = sheet._cost.text()
            QTest.keyClicks(sheet.context, "99")
            QTest.keyClick(sheet.context, Qt.Key.Key_Return)
            assert sheet.context.property("wrong")
            sheet.context.clear()
            QTest.keyClicks(sheet.context, "1,024")
            QTest.keyClick(sheet.context, Qt.Key.Key_Return)
            assert not sheet.context.property("wrong")
            assert sheet._cost.text() != before
            assert sheet.load.text() == "Reload with these settings"
            sheet.load.click()
            await until(lambda: use_of(gui, "Alpha") == "loading")
            await until(lambda: use_of(gui, "Alpha") == "in_use")
            assert "Context length: 1,024 tokens" in gui.window.header._pill.toolTip() or sheet.load.isHidden()
            sheet.unload.click()
            await until(lambda: use_of(gui, "Alpha") == "")
        kept = SettingsFile(profile.settings).value.model_settings
        assert kept == {str(path): {"n_ctx": 1024}}
        async with open_gui(real=path) as gui:
            await until(lambda: gui.ready)
            page = page_of(gui)
            gui.window.sidebar._models.click()
            await until(lambda: use_of(gui, "Alpha") == "in_use")
            click(page.local_models.view, "Alpha", "settings")
            assert page.sheet.context.text() == "1024"
            page.sheet.context.clear()
            QTest.keyClick(page.sheet.context, Qt.Key.Key_Return)
        kept = SettingsFile(profile.settings).value.model_settings
        assert kept == {str(path): {"n_ctx": 1024}}, "it was typed, and the model was not loaded so"
        async with open_gui(real=path) as gui:
            page = page_of(gui)
            gui.window.sidebar._models.click()
            await until(lambda: use_of(gui, "Alpha") == "in_use")
            click(page.local_models.view, "Alpha", "settings")
            page.sheet.context.clear()
            page.sheet.load.click()
            await until(lambda: use_of(gui, "Alpha") == "loading")
            await until(lambda: use_of(gui, "Alpha") == "in_use")
        assert SettingsFile(profile.settings).value.model_settings == {}

    run(story())


def test_sheet_of_model_that_search_hides_follows_its_state(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, model_folder: Path, profile: Profile
) -> None:
    keep_folder(profile, model_folder)

    async def story() -> None:
        async with open_gui(real=model_folder / "Alpha-Q4_0.gguf") as gui:
            page = page_of(gui)
            gui.window.sidebar._models.click()
            await until(lambda: gui.ready and use_of(gui, "Alpha") == "in_use")
            click(page.local_models.view, "Alpha", "settings")
            page.head.search.setText("qwen")
            await until(lambda: use_of(gui, "Alpha") == "not listed")
            assert not page.sheet.unload.isHidden()
            page.sheet.unload.click()
            await until(lambda: page.sheet.unload.isHidden())
            assert not page.sheet.load.isHidden()

    run(story())


def test_value_that_is_typed_stays_while_the_row_changes(
    run: Run, open_gui: OpenGui, fake_hub: FakeHub, model_folder: Path, profile: Profile
) -> None:
    keep_folder(profile, model_folder)

    async def story() -> None:
        async with open_gui(real=model_folder / "Alpha-Q4_0.gguf") as gui:
            page = page_of(gui)
            gui.window.sidebar._models.click()
            await until(lambda: gui.ready and use_of(gui, "Alpha") == "in_use")
            await until(lambda: rows(page.local_models.view)[0].fit is not None)
            click(page.local_models.view, "Alpha", "settings")
            sheet = page.sheet
            QTest.keyClicks(sheet.context, "48")
            row = rows(page.local_models.view)[0]
            sheet.show_model(replace(row, progress=0.5), LoadOptions(), None)
            assert sheet.context.text() == "48"
            QTest.keyClick(sheet.context, Qt.Key.Key_Return)
            assert sheet.context.property("wrong")
            assert sheet._context_help.property("wrong"), "it says what the least is"
            assert not sheet.load.isEnabled()
            QTest.keyClick(sheet, Qt.Key.Key_Escape)
            click(page.local_models.view, "Alpha", "settings")
            assert sheet.context.text() == ""
            assert not sheet.context.property("wrong")
            assert sheet.load.isEnabled()
        assert SettingsFile(profile.settings).value.model_settings == {}

    run(story())


def test_context_below_the_least_is_not_taken_from_the_settings() -> None:
    assert LoadOptions.from_dict({"n_ctx": 48}) == LoadOptions()


def test_choices() -> None:
    choice = LoadOptions(4096, "q8_0", 12)
    assert LoadOptions.from_dict(choice.to_dict()) == choice
    assert choice.settings == LoadSettings(4096, kv_type_k="q8_0", kv_type_v="q8_0", n_gpu_layers=12)
    assert LoadOptions().to_dict() == {}
    assert LoadOptions.from_dict({"n_ctx": "many", "kv_type": "q1", "n_gpu_layers": -3}) == LoadOptions()


def test_settings_that_cannot_be_had_say_why() -> None:
    said = error_message(InvalidSettings("kv_type_v", "a quantised value cache needs flash attention"))
    assert said.endswith("kv_type_v: a quantised value cache needs flash attention.")

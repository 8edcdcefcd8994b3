"""Files that are written: it shows while it lasts, and can be cancelled."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from desktop.exchange import own
from desktop.windows.settings_wiring import SettingsWiring
from tests.desktop.conftest import House, OpenHouse, Run, until
from tests.desktop.test_window import answered, type_and_send
from tests.fakes import Script


def exchange_of(house: House) -> Any:
    wiring: Any = house.window.findChild(SettingsWiring)
    return wiring._exchange


def test_export_is_shown_at_once_and_leaves_no_file_when_cancelled(
    run: Run, open_house: OpenHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, go_on = threading.Event(), threading.Event()
    real = own.document

    def slow(*args: Any) -> str:
        reached.set()
        go_on.wait(20)
        return str(real(*args))

    monkeypatch.setattr(own, "document", slow)

    async def story() -> None:
        async with open_house(Script(answer=b"Well.")) as house:
            await until(lambda: house.ready)
            type_and_send(house, "Hi")
            await answered(house)
            exchange_of(house).export_all(tmp_path / "all.json")
            notice = house.window.notice
            assert notice.text == "Saving all.json…"
            await until(reached.is_set)
            notice._action.click()
            go_on.set()
            await until(lambda: not notice.text)
            exchange_of(house).export_all(tmp_path / "again.json")
            await until(lambda: notice.text == "Saved as again.json.")
            assert (tmp_path / "again.json").exists()
            assert not (tmp_path / "all.json").exists()
            assert not (tmp_path / "all.json.part").exists()

    run(story())


def test_failed_export_takes_the_sign_away(run: Run, open_house: OpenHouse, tmp_path: Path) -> None:
    async def story() -> None:
        async with open_house(Script(answer=b"Well.")) as house:
            await until(lambda: house.ready)
            exchange_of(house).export_all(tmp_path / "missing" / "all.json")
            assert house.window.notice.text == "Saving all.json…"
            await until(lambda: "could not be read or written" in house.window.notice.text)

    run(story())

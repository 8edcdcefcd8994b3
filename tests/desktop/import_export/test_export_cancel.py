"""Tests of the progress, cancellation and failure of an export."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from desktop.import_export.formats import inglenook
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.import_export.gui_driver import controller_of
from tests.desktop.shell.test_main_window import answered, type_and_send
from tests.fakes import Script


def test_running_export_is_shown_and_a_cancelled_export_leaves_no_file(
    run: Run, open_gui: OpenGui, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, go_on = threading.Event(), threading.Event()
    real = inglenook.document

    def slow(*args: Any) -> str:
        reached.set()
        go_on.wait(20)
        return str(real(*args))

    monkeypatch.setattr(inglenook, "document", slow)

    async def story() -> None:
        async with open_gui(Script(answer=b"Well.")) as gui:
            await until(lambda: gui.ready)
            type_and_send(gui, "Hi")
            await answered(gui)
            controller_of(gui).export_all(tmp_path / "all.json")
            toast = gui.window.toast
            assert toast.text == "Saving all.json…"
            await until(reached.is_set)
            toast._action.click()
            go_on.set()
            await until(lambda: not toast.text)
            controller_of(gui).export_all(tmp_path / "again.json")
            await until(lambda: toast.text == "Saved as again.json.")
            assert (tmp_path / "again.json").exists()
            assert not (tmp_path / "all.json").exists()
            assert not (tmp_path / "all.json.part").exists()

    run(story())


def test_failed_export_replaces_its_progress_toast_by_an_error(run: Run, open_gui: OpenGui, tmp_path: Path) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"Well.")) as gui:
            await until(lambda: gui.ready)
            controller_of(gui).export_all(tmp_path / "missing" / "all.json")
            assert gui.window.toast.text == "Saving all.json…"
            await until(lambda: "could not be read or written" in gui.window.toast.text)

    run(story())

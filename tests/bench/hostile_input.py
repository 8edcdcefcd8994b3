"""`window.hostile_stall`: how long one hostile input blocks the event loop of the window. This is the longest stall
during the input, minus the longest stall when the window is idle.

The model is the tests' fake, so that only the window is measured. `python -m tests.bench.hostile_input NAME` runs one
of `INPUTS` in a process of its own."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop.app import create_loop, run_until_closed
from desktop.platform.theme import Theme
from desktop.settings.page import SettingsPage
from desktop.settings.settings_file import SettingsFile
from desktop.shell.main_window import MainWindow
from desktop.startup.options import Options
from desktop.store.records import Chat, ChatMessage
from desktop.store.store import Store
from engine.engine import Engine
from engine.files.profile import Profile
from tests.bench.app_driver import report
from tests.bench.app_process import ROOT, environment
from tests.bench.figure import Figure
from tests.bench.long_chat_driver import StallLog, until
from tests.fakes import FakeOpener, Script

BOUND_MS = 100.0
IDLE_S, SETTLE_S = 2.0, 3.0
N_COLUMNS = 2_000

SHOWN = {
    "shown_line": "a" * 2_000_000,
    "shown_letters": "Z" * 40_000,
    "shown_table": "\n".join(("|" + " c |" * N_COLUMNS, "|" + "--|" * N_COLUMNS, "|" + " 1 |" * N_COLUMNS)),
    "shown_formula": "$" + "x^2+" * 2_500 + "x$",
    "shown_quotes": ">" * 5_000 + " deep",
    "shown_json": "```json\n" + "[" * 5_000 + "]" * 5_000 + "\n```",
}
"""Message texts by the name of the input. A chat that contains the message is opened and scrolled."""
PASTED = {"pasted_line": "a" * 2_000_000, "pasted_words": "word and so on " * 140_000, "pasted_letters": "Z" * 40_000}
INPUTS = (*PASTED, "attached_file", "imported_nested", *SHOWN)


def measure() -> Figure:
    """Measures all inputs. The value of the figure is the maximum, and its `against` lists the value of each input."""
    added = {}
    for name in INPUTS:
        command = [sys.executable, "-m", "tests.bench.hostile_input", name]
        done = subprocess.run(
            command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True, timeout=300, check=True
        )
        result = json.loads(done.stdout.splitlines()[-1])
        added[name] = 1000 * (result["longest_s"] - result["idle_s"])
    each = ", ".join(f"{name} {value:.0f}" for name, value in added.items())
    return Figure("window.hostile_stall", max(added.values()), BOUND_MS, "ms", f"the idle loop; {each} ms")


async def scenario(application: StallLog, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        profile = Profile(Path(folder) / "profile").ensure()
        await _fill(profile, SHOWN.get(name, "Hello."))
        window = MainWindow(Theme(application, "light"))
        window.show()
        opener = FakeOpener(Script(answer=b"Hello there."))
        model = Path(folder) / "fake.gguf"
        model.write_bytes(b"")
        options = Options(profile, model)
        app = asyncio.create_task(
            run_until_closed(window, SettingsFile(profile.settings), options, lambda: Engine(opener))
        )
        await until(lambda: window.is_ready and window.chat_page.header._model_state == "ready")
        await asyncio.sleep(1)
        application.late_s.clear()
        await asyncio.sleep(IDLE_S)
        idle_s = max(application.late_s)
        application.late_s.clear()
        await _handle(window, name, Path(folder))
        await asyncio.sleep(SETTLE_S)
        longest_s = max(application.late_s)
        window.chat_page.composer.clear()
        window.close()
        await app
        report(idle_s=idle_s, longest_s=longest_s)


async def _fill(profile: Profile, text: str) -> None:
    store = Store(profile.chats)
    await store.open()
    rows = [
        ChatMessage("m0", "hostile", None, "user", text, "complete", 0.0),
        ChatMessage("m1", "hostile", "m0", "assistant", text, "complete", 1.0),
    ]
    await store.save(Chat("hostile", "A hostile chat", 1.0, 1.0, leaf_id="m1"), rows)
    await store.aclose()


async def _handle(window: MainWindow, name: str, folder: Path) -> None:
    if name in PASTED:
        await _paste(window, PASTED[name])
    elif name == "attached_file":
        path = folder / "large.txt"
        path.write_text("a line of text that is read\n" * 1_000_000, encoding="utf-8")
        window.chat_page.composer.files_given.emit([path])
    elif name == "imported_nested":
        path = folder / "conversations.json"
        path.write_text("[" * 5_000 + "]" * 5_000, encoding="utf-8")
        _import(window, path)
    else:
        await _show(window)


async def _paste(window: MainWindow, text: str) -> None:
    field = window.chat_page.composer.focusProxy()
    assert isinstance(field, QWidget)
    mime = QMimeData()
    mime.setText(text)
    field.insertFromMimeData(mime)  # type: ignore[attr-defined]
    for _ in range(5):
        await asyncio.sleep(0.2)
        QTest.keyClick(field, Qt.Key.Key_Z)


def _import(window: MainWindow, path: Path) -> None:
    page = window.view("settings", SettingsPage)
    assert page is not None
    page.import_export.import_requested.emit(False)
    dialog = next(each for each in window.findChildren(QFileDialog) if each.isVisible())
    dialog.fileSelected.emit(str(path))
    dialog.close()


async def _show(window: MainWindow) -> None:
    chats, view = window.sidebar.chats, window.chat_page.transcript
    assert chats is not None
    assert view is not None
    chats.requests.open_requested.emit("hostile")
    await until(lambda: view.messages is not None and len(view.messages) == 2)
    await asyncio.sleep(SETTLE_S)
    bar = view.verticalScrollBar()
    for step in range(20):
        bar.setValue(bar.maximum() * step // 20)
        await asyncio.sleep(0.05)


def _run_in_loop(name: str) -> None:
    stall_log = StallLog()
    with asyncio.Runner(loop_factory=lambda: create_loop(stall_log)) as runner:
        runner.run(scenario(stall_log, name))


if __name__ == "__main__":
    _run_in_loop(sys.argv[1])

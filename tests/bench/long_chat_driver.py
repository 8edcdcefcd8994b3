"""Runs the real window with a long chat in a process of its own: `python -m tests.bench.long_chat_driver chat N` or
`answer`.

The model is the tests' fake. It streams 200 tokens per second and uses almost no CPU time."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication

from desktop.app import create_loop, run_until_closed
from desktop.chat.message_list import MessageList
from desktop.platform.theme import Theme
from desktop.settings.settings_file import SettingsFile
from desktop.shell.main_window import MainWindow
from desktop.startup.options import Options
from desktop.store.records import Chat, ChatMessage
from desktop.store.store import Store
from desktop.transcript.view import TranscriptView
from engine.engine import Engine
from engine.files.profile import Profile
from tests.bench.app_driver import FINE_MS, StallProbe, report
from tests.fakes import FakeOpener, Script

WORDS = "The tide comes in twice a day and nobody has ever seen it hurry, which is more than one can say of people. "
PARAGRAPH = WORDS * 3 + "\n\n"
CHARACTER_S = 1 / (200 * 4)
"""The seconds between two characters of the fake model, which generates 200 tokens of four characters per second."""
STREAM_S, IDLE_S, WARM_S = 8.0, 4.0, 1.5
WIDTHS = [1100 - 17 * n for n in range(20)] + [760 + 17 * n for n in range(20)]
N_TOKENS, CHARACTERS_PER_TOKEN = 20_000, 4


class StallLog(StallProbe):
    """Records how late each tick of a timer was, in seconds."""

    def __init__(self) -> None:
        self.late_s: list[float] = []
        super().__init__(sys.argv[:1], FINE_MS)

    def _tick(self) -> None:
        self.longest_s = 0.0
        super()._tick()
        self.late_s.append(self.longest_s)


class PaintWatch(QObject):
    """Records when a widget was last painted."""

    painted_s = 0.0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self.painted_s = time.perf_counter()
        return False


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(120):
        while not condition():  # noqa: ASYNC110 -- any state of a widget, most have no event to wait for
            await asyncio.sleep(0.002)


async def fill(profile: Profile, n_messages: int) -> None:
    store = Store(profile.chats)
    await store.open()
    rows = [
        ChatMessage(
            f"m{n}",
            "long",
            f"m{n - 1}" if n else None,
            "assistant" if n % 2 else "user",
            f"{n}: {WORDS * 5}"[:500],
            "complete",
            float(n),
        )
        for n in range(n_messages)
    ]
    await store.save(Chat("long", "A long chat", 1.0, 1.0, leaf_id=rows[-1].id), rows)
    await store.aclose()


async def chat(application: StallLog, n_messages: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        profile = Profile(Path(folder)).ensure()
        await fill(profile, n_messages)
        settings = SettingsFile(profile.settings)
        window = MainWindow(Theme(application, "light"))
        window.show()
        opener = FakeOpener(Script(answer=(PARAGRAPH * 200).encode(), step_s=CHARACTER_S))
        model = Path(folder) / "fake.gguf"
        model.write_bytes(b"")
        app = asyncio.create_task(run_until_closed(window, settings, Options(profile, model), lambda: Engine(opener)))
        await until(lambda: window.chat_page.transcript is not None and window.chat_page.header._model_state == "ready")
        result = await measure_window(application, window)
        window.close()
        await app
        report(**result)


async def measure_window(application: StallLog, window: MainWindow) -> dict[str, object]:
    view, chats = window.chat_page.transcript, window.sidebar.chats
    assert view is not None
    assert chats is not None
    await until(lambda: chats.model().rowCount() > 1)
    await asyncio.sleep(1)
    before = psutil.Process().memory_info().rss
    open_s = await open_chat(view, chats.requests.open_requested.emit)
    await asyncio.sleep(1)
    resident = psutil.Process().memory_info().rss - before
    frames_s = [resize_and_paint(application, window, view, width) for width in WIDTHS]
    await asyncio.sleep(1)
    application.late_s.clear()
    await asyncio.sleep(IDLE_S)
    idle_s = list(application.late_s)
    window.chat_page.composer.begin_with("Go on")
    window.chat_page.composer.submitted.emit()
    await until(lambda: view.messages is not None and view.messages[len(view.messages) - 1].text)
    await asyncio.sleep(WARM_S)
    application.late_s.clear()
    await asyncio.sleep(STREAM_S)
    return {
        "open_s": open_s,
        "resident": resident,
        "frames_s": frames_s,
        "idle_s": idle_s,
        "stream_s": list(application.late_s),
    }


async def open_chat(view: TranscriptView, choose: Callable[[str], None]) -> float:
    """Clicks a chat. Returns the seconds until the first paint that shows the chat has ended."""
    watch = PaintWatch()
    view.viewport().installEventFilter(watch)
    started = time.perf_counter()
    choose("long")
    await until(lambda: view.messages and len(view.messages) and watch.painted_s > started)
    await asyncio.sleep(0)
    return watch.painted_s - started


def resize_and_paint(application: QApplication, window: MainWindow, view: TranscriptView, width: int) -> float:
    """Changes the width of the window. Returns the seconds for layout and paint."""
    started = time.perf_counter()
    window.resize(width, 750)
    application.sendPostedEvents()
    view.viewport().repaint()
    return time.perf_counter() - started


def answer() -> None:
    """Measures the time to show one token of a very long answer, early and late in the answer.

    Earlier messages fill the visible area, so that the painted area is the same in both cases."""
    application = QApplication(sys.argv[:1])
    messages = MessageList()
    view = TranscriptView(Theme(application, "light"))
    view.set_list(messages)
    view.resize(844, 600)
    view.show()
    text = PARAGRAPH * (N_TOKENS * CHARACTERS_PER_TOKEN // len(PARAGRAPH) + 2)
    message = ChatMessage("a", "c", None, "assistant", "", "streaming", 0.0)
    before = [ChatMessage(f"m{n}", "c", None, "assistant", PARAGRAPH, "complete", 0.0) for n in range(12)]
    messages.show([*before, message])
    early = cost_s(application, view, messages, message, text, 100)
    late = cost_s(application, view, messages, message, text, N_TOKENS)
    report(early_s=early, late_s=late)


def cost_s(
    application: QApplication, view: TranscriptView, messages: MessageList, message: ChatMessage, text: str, at: int
) -> float:
    """The mean time to show one token. It is measured over 60 tokens, around token number `at`."""
    messages.replace(replace(message, text=text[: (at - 40) * CHARACTERS_PER_TOKEN]))
    view.updates.refresh()
    application.processEvents()
    started = time.perf_counter()
    for token in range(at - 30, at + 30):
        messages.replace(replace(message, text=text[: token * CHARACTERS_PER_TOKEN]))
        view.updates.refresh()
        application.processEvents()
    return (time.perf_counter() - started) / 60


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["chat", n]:
            stall_log = StallLog()
            with asyncio.Runner(loop_factory=lambda: create_loop(stall_log)) as runner:
                runner.run(chat(stall_log, int(n)))
        case ["answer"]:
            answer()

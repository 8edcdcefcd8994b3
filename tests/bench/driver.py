"""Drives the real app as a person would, in a process of its own, and says as JSON what it saw.

`python -m tests.bench.driver paint|bare-paint|bare-idle|idle|chat|chat-watched …`: one scenario each. The only thing
that is not as in a person's hands is the QApplication, which looks at its own events.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from PySide6 import QtWidgets
from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtTest import QTest

if TYPE_CHECKING:
    from desktop.shell.main_window import MainWindow

FINE_MS, COARSE_MS = 2, 50
"""How often the heart beats: to catch a stall, and so that it takes nothing from what is measured."""

QUESTION = "Tell me a long story about the sea."


def say(**seen: object) -> None:
    print(json.dumps(seen), flush=True)


class PaintProbe(QtWidgets.QApplication):
    """Ends the process when the first paint is done: when the outermost event that painted has been handled."""

    started = 0.0
    depth = 0
    painted = False

    def notify(self, receiver: QObject, event: QEvent) -> bool:
        self.depth += 1
        self.painted = self.painted or event.type() == QEvent.Type.Paint
        done = super().notify(receiver, event)
        self.depth -= 1
        if self.painted and not self.depth:
            say(paint_s=time.time() - self.started)
            os._exit(0)
        return done


class Heartbeat(QtWidgets.QApplication):
    """A timer in the GUI's loop that notes how late it is."""

    on_beat: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self, arguments: list[str], tick_ms: int) -> None:
        super().__init__(arguments)
        self.longest_s = 0.0
        self._tick_s = tick_ms / 1000
        self._last: float | None = None
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(tick_ms)

    def _beat(self) -> None:
        now = time.perf_counter()
        if self._last is None:  # the loop begins to run
            self._last = now
        self.longest_s = max(self.longest_s, now - self._last - self._tick_s)
        self.on_beat()
        self._last = time.perf_counter()  # what the harness itself did is not the app's


class Person:
    """Types a question when the window stands, reads the answer, and closes the window after `n_tokens` or at the
    answer's end; where `rest` is given, does that instead of closing it."""

    def __init__(self, application: Heartbeat, n_tokens: int, rest: Callable[[], None] | None = None) -> None:
        self._application = application
        self._n_tokens = n_tokens
        self._rest = rest
        self._window: MainWindow | None = None  # found once: to look through all of Qt's windows takes its time
        self._asked = False
        self._first: tuple[float, int] | None = None
        self._closing = False

    def beat(self) -> None:
        window = self._window = self._window or self._find()
        if window is None or window.chat_page.transcript is None or self._closing:
            return
        rows = window.chat_page.transcript.messages
        assert rows is not None
        if not self._asked:
            self._asked = True
            field = window.chat_page.composer.focusProxy()
            assert field is not None
            QTest.keyClicks(field, QUESTION)
            QTest.keyClick(field, Qt.Key.Key_Return)
        elif len(rows) > 1 and rows[len(rows) - 1].text:
            self._read(window, rows[len(rows) - 1])

    def _find(self) -> MainWindow | None:
        from desktop.shell.main_window import MainWindow

        windows = self._application.topLevelWidgets()
        return next((each for each in windows if isinstance(each, MainWindow)), None)

    def _read(self, window: QtWidgets.QWidget, answer: object) -> None:
        now, text, state = time.perf_counter(), getattr(answer, "text", ""), getattr(answer, "state", "")
        self._first = self._first or (now, len(text))
        n_seen = len(text) / 4.5  # a token of English; only says when to stop
        if state != "streaming" and self._rest is not None:
            self._closing = True
            self._rest()
        elif state != "streaming":
            started, n_first = self._first
            say(
                longest_s=self._application.longest_s,
                reading_s=now - started,
                n_chars=len(text),
                n_chars_first=n_first,
                n_tokens=getattr(answer, "n_output", 0),
                resident=psutil.Process().memory_info().rss,
            )
            self._closing = True
            window.close()
        elif n_seen >= self._n_tokens:
            QTest.keyClick(window, Qt.Key.Key_Escape)


def paint(app: bool, profile: Path, started: float) -> None:
    PaintProbe.started = started
    QtWidgets.QApplication = PaintProbe  # type: ignore[misc]
    run_app(profile) if app else run_bare()


def run_app(profile: Path) -> None:
    from desktop.__main__ import main

    main(["--profile", str(profile)])


def run_bare() -> None:
    application = QtWidgets.QApplication(sys.argv[:1])
    window = QtWidgets.QWidget()
    window.resize(1100, 750)
    window.show()
    application.exec()


def chat(profile: Path, n_tokens: int, tick_ms: int) -> None:
    class Driven(Heartbeat):
        def __init__(self, arguments: list[str]) -> None:
            super().__init__(arguments, tick_ms)
            self.on_beat = Person(self, n_tokens).beat

    QtWidgets.QApplication = Driven  # type: ignore[assignment, misc]
    run_app(profile)


def idle(profile: Path) -> None:
    """Asks something, reads the answer, says so, and does nothing more until the process is ended."""

    class Watched(Heartbeat):
        def __init__(self, arguments: list[str]) -> None:
            super().__init__(arguments, COARSE_MS)
            person = Person(self, 20, self.rest)
            self.on_beat = person.beat

        def rest(self) -> None:
            self._timer.stop()  # a heart that beats is no idle process
            say(ready=True)

    QtWidgets.QApplication = Watched  # type: ignore[assignment, misc]
    run_app(profile)


def bare_idle() -> None:
    """A bare window whose loop only beats, until a line comes on stdin."""
    application = Heartbeat(sys.argv[:1], FINE_MS)
    window = QtWidgets.QWidget()
    window.resize(1100, 750)
    window.show()
    os.set_blocking(sys.stdin.fileno(), False)

    def beat() -> None:
        if sys.stdin.readline():
            say(longest_s=application.longest_s, resident=psutil.Process().memory_info().rss)
            application.quit()

    QTest.qWait(200)
    application.longest_s = 0.0
    application.on_beat = beat
    say(ready=True)
    application.exec()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["paint", folder, moment]:
            paint(True, Path(folder), float(moment))
        case ["bare-paint", moment]:
            paint(False, Path(), float(moment))
        case ["chat", folder, n]:
            chat(Path(folder), int(n), COARSE_MS)
        case ["chat-watched", folder, n]:
            chat(Path(folder), int(n), FINE_MS)
        case ["idle", folder]:
            idle(Path(folder))
        case ["bare-idle"]:
            bare_idle()

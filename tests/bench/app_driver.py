"""Runs the real app in a process of its own, acts as its user, and prints measurements as JSON.

`python -m tests.bench.app_driver paint|bare-paint|bare-idle|idle|chat|chat-watched|reload …` runs one scenario. Only
the QApplication is replaced, by a subclass that takes the measurements."""

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
from PySide6.QtCore import QLoggingCategory, QMessageLogContext, Qt, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtTest import QTest

if TYPE_CHECKING:
    from desktop.shell.main_window import MainWindow

FINE_MS, COARSE_MS = 2, 50
"""Timer intervals. The fine one detects stalls of the event loop, and the coarse one hardly affects speed."""

PAINTED = "Flushing"
"""The start of the line that Qt logs in the category qt.widgets.painting when a painted window is on the screen."""

QUESTION = "Tell me a long story about the sea."


def report(**result: object) -> None:
    """Prints a result as a line of JSON."""
    print(json.dumps(result), flush=True)


class StallProbe(QtWidgets.QApplication):
    """Measures the stalls of the event loop: how late the events of a timer are handled."""

    on_tick: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self, arguments: list[str], tick_ms: int) -> None:
        super().__init__(arguments)
        self.longest_s = 0.0
        self._tick_s = tick_ms / 1000
        self._last: float | None = None
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(tick_ms)

    def _tick(self) -> None:
        now = time.perf_counter()
        if self._last is None:  # before the first tick the event loop was not running, so this time is left out
            self._last = now
        self.longest_s = max(self.longest_s, now - self._last - self._tick_s)
        self.on_tick()
        self._last = time.perf_counter()  # the time that `on_tick` takes is left out


def main_window(application: QtWidgets.QApplication) -> MainWindow | None:
    """The app's window, if it is there. Searching all widgets is slow, so keep it."""
    from desktop.shell.main_window import MainWindow

    return next((each for each in application.topLevelWidgets() if isinstance(each, MainWindow)), None)


class User:
    """A simulated user, who types a message when the window is ready and stops the answer after `n_tokens`.

    When the answer has ended, the user closes the window; if there is a function `rest`, it is called instead, and the
    window remains open."""

    def __init__(self, application: StallProbe, n_tokens: int, rest: Callable[[], None] | None = None) -> None:
        self._application = application
        self._n_tokens = n_tokens
        self._rest = rest
        self._window: MainWindow | None = None
        self._asked = False
        self._first: tuple[float, int] | None = None
        self._closing = False

    def tick(self) -> None:
        window = self._window = self._window or main_window(self._application)
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

    def _read(self, window: QtWidgets.QWidget, answer: object) -> None:
        now, text, state = time.perf_counter(), getattr(answer, "text", ""), getattr(answer, "state", "")
        self._first = self._first or (now, len(text))
        # The estimate of 4.5 characters per token only decides when the answer is stopped.
        n_tokens_shown = len(text) / 4.5
        if state != "streaming" and self._rest is not None:
            self._closing = True
            self._rest()
        elif state != "streaming":
            started, n_first = self._first
            report(
                longest_s=self._application.longest_s,
                reading_s=now - started,
                n_chars=len(text),
                n_chars_first=n_first,
                n_tokens=getattr(answer, "n_output", 0),
                resident=psutil.Process().memory_info().rss,
            )
            self._closing = True
            window.close()
        elif n_tokens_shown >= self._n_tokens:
            QTest.keyClick(window, Qt.Key.Key_Escape)


class Reloader:
    """Loads the model again `n_loads` times after the app has loaded it on a graphics card, then closes the window."""

    def __init__(self, application: StallProbe, n_loads: int) -> None:
        self._application, self._n_left = application, n_loads
        self._window: MainWindow | None = None
        self._loaded_at = 0.0

    def tick(self) -> None:
        window = self._window = self._window or main_window(self._application)
        if window is None or self._n_left < 0:
            return
        from desktop.models.model_switcher import ModelSwitcher
        from engine.status import ModelInfo

        switcher = window.findChild(ModelSwitcher)
        model = switcher._models.status.model if switcher is not None else None
        if switcher is None or not isinstance(model, ModelInfo) or switcher._models.status.state != "ready":
            return
        if model.loaded_at == self._loaded_at:
            return  # the reload has not begun yet
        if not self._loaded_at:
            self._application.longest_s = 0.0  # the start of the app is left out
        self._loaded_at = model.loaded_at
        self._n_left -= 1
        if self._n_left >= 0:
            switcher._reload()
        else:
            is_on_card = model.memory is not None and bool(model.memory.offload.devices)
            report(longest_s=self._application.longest_s, is_on_card=is_on_card)
            window.close()


def paint(app: bool, profile: Path, started: float) -> None:
    """Measures the time to the first paint of the app, or of a bare window. `started` is the `time.time` at which the
    process was started.

    Qt's own log shows when a painted window is on the screen. An override of `QApplication.notify` would cost 25 ms in
    the app and nothing in the bare window, because PySide would create a class for each receiver of an event."""

    def end_at_paint(_kind: QtMsgType, _context: QMessageLogContext, message: str) -> None:
        if message.startswith(PAINTED):
            report(paint_s=time.time() - started)
            os._exit(0)

    QLoggingCategory.setFilterRules("qt.widgets.painting=true")
    qInstallMessageHandler(end_at_paint)
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
    class ChatApp(StallProbe):
        def __init__(self, arguments: list[str]) -> None:
            super().__init__(arguments, tick_ms)
            self.on_tick = User(self, n_tokens).tick

    QtWidgets.QApplication = ChatApp  # type: ignore[assignment, misc]
    run_app(profile)


def reload(profile: Path, n_loads: int) -> None:
    class ReloadApp(StallProbe):
        def __init__(self, arguments: list[str]) -> None:
            super().__init__(arguments, FINE_MS)
            self.on_tick = Reloader(self, n_loads).tick

    QtWidgets.QApplication = ReloadApp  # type: ignore[assignment, misc]
    run_app(profile)


def idle(profile: Path) -> None:
    """Sends a message, waits for the end of the answer and reports it. Then the app idles until the process is
    terminated."""

    class IdleApp(StallProbe):
        def __init__(self, arguments: list[str]) -> None:
            super().__init__(arguments, COARSE_MS)
            user = User(self, 20, self.rest)
            self.on_tick = user.tick

        def rest(self) -> None:
            self._timer.stop()  # a running timer would use CPU time while the app idles
            report(ready=True)

    QtWidgets.QApplication = IdleApp  # type: ignore[assignment, misc]
    run_app(profile)


def bare_idle() -> None:
    """Measures stalls of the event loop with an empty window, until a line arrives on stdin."""
    application = StallProbe(sys.argv[:1], FINE_MS)
    window = QtWidgets.QWidget()
    window.resize(1100, 750)
    window.show()
    os.set_blocking(sys.stdin.fileno(), False)

    def tick() -> None:
        if sys.stdin.readline():
            report(longest_s=application.longest_s, resident=psutil.Process().memory_info().rss)
            application.quit()

    QTest.qWait(200)
    application.longest_s = 0.0
    application.on_tick = tick
    report(ready=True)
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
        case ["reload", folder, n]:
            reload(Path(folder), int(n))
        case ["idle", folder]:
            idle(Path(folder))
        case ["bare-idle"]:
            bare_idle()

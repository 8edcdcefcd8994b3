"""A throttle, which limits how often a function is called."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer

REST_FACTOR = 8
"""The pause after a call, as a multiple of the duration of the call. A slow function thus leaves time for other work on
its thread."""


class Throttle(QObject):
    """Calls `action` after `request`, as soon as its limits allow: at most once per `interval_ms`, and less often if
    `action` is slow. GUI thread only."""

    def __init__(self, interval_ms: int, action: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._interval_s = interval_ms / 1000
        self._action = action
        self._next_s = 0.0
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._call)

    def request(self) -> None:
        if not self._timer.isActive():
            self._timer.start(max(0, round((self._next_s - time.monotonic()) * 1000)))

    def cancel(self) -> None:
        self._timer.stop()

    def _call(self) -> None:
        started_s = time.monotonic()
        self._action()
        ended_s = time.monotonic()
        self._next_s = max(started_s + self._interval_s, ended_s + REST_FACTOR * (ended_s - started_s))

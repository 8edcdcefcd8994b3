"""Work that is asked for often and done seldom."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer

REST = 8
"""After work that took a while, others get this many times as long before it is done again."""


class Throttle(QObject):
    """Calls `action` soon after `request`, never more often than every `interval_ms`, and seldomer if it is slow."""

    def __init__(self, interval_ms: int, action: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._interval_s = interval_ms / 1000
        self._action = action
        self._next_s = 0.0
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._act)

    def request(self) -> None:
        if not self._timer.isActive():
            self._timer.start(max(0, round((self._next_s - time.monotonic()) * 1000)))

    def cancel(self) -> None:
        self._timer.stop()

    def _act(self) -> None:
        begun_s = time.monotonic()
        self._action()
        ended_s = time.monotonic()
        self._next_s = max(begun_s + self._interval_s, ended_s + REST * (ended_s - begun_s))

"""Detects that the date has changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication

MARGIN_MS = 500


class DayChange(QObject):
    """Emits `changed` shortly after midnight, and when the app is activated on another day.

    A timer alone is not enough: timers stop while the computer sleeps, and the clock may be changed. `now` returns
    local time. GUI thread only."""

    changed = Signal()

    def __init__(self, now: Callable[[], datetime] = datetime.now, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._now = now
        self._day = now().date()
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.check)
        if isinstance(application := QGuiApplication.instance(), QGuiApplication):
            application.applicationStateChanged.connect(self.check)
        self._start_timer()

    def check(self) -> None:
        """Emits `changed` if the date has changed since the last call."""
        day = self._now().date()
        has_changed, self._day = day != self._day, day
        self._start_timer()
        if has_changed:
            self.changed.emit()

    def _start_timer(self) -> None:
        now = self._now()
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        self._timer.start(round((midnight.timestamp() - now.timestamp()) * 1000) + MARGIN_MS)

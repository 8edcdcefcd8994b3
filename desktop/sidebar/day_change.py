"""When another day has begun."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication

MARGIN_MS = 500


class DayChange(QObject):
    """Emits `changed` after midnight, and when the app is used again on another day: a timer stands still while the
    computer sleeps, and the clock may be set. `now` gives local time. GUI thread only."""

    changed = Signal()

    def __init__(self, now: Callable[[], datetime] = datetime.now, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._now = now
        self._day = now().date()
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.look)
        if isinstance(application := QGuiApplication.instance(), QGuiApplication):
            application.applicationStateChanged.connect(self.look)
        self._wait()

    def look(self) -> None:
        """Emits where the day is another one than before."""
        day = self._now().date()
        is_another, self._day = day != self._day, day
        self._wait()
        if is_another:
            self.changed.emit()

    def _wait(self) -> None:
        now = self._now()
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        self._timer.start(round((midnight.timestamp() - now.timestamp()) * 1000) + MARGIN_MS)

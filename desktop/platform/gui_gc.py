"""Garbage collection on the GUI thread only, from a timer.

Python collects on whichever thread happens to allocate. There it may destroy widgets, which crashes: Qt objects must be
destroyed on their own thread. On the GUI thread it may run inside a destructor of Qt that holds a lock, and deadlock.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

INTERVAL_MS = 1_000
FULL_EVERY = 60
"""Turns between collections of the oldest generation, which takes longest and changes least."""

IMPORTED = 10_000
"""More new objects than that are imported modules: they are never freed, and traversing them takes long."""


class GarbageCollector(QObject):
    """Collects until `close`. Automatic collection stays off afterwards, since the process is ending. GUI thread."""

    def __init__(self) -> None:
        super().__init__()
        self._turn = 0
        gc.disable()
        gc.freeze()
        self._timer = QTimer(self, interval=INTERVAL_MS)
        self._timer.timeout.connect(self._collect)
        self._timer.start()

    def close(self) -> None:
        self._timer.stop()
        gc.unfreeze()

    def _collect(self) -> None:
        self._turn += 1
        n_new = gc.get_count()[0]
        if n_new > IMPORTED:
            gc.freeze()
        elif self._turn % FULL_EVERY == 0:
            gc.collect(2)
        elif n_new > gc.get_threshold()[0]:
            gc.collect(0 if self._turn % 10 else 1)

"""Runs Python's garbage collection only on the GUI thread, from a timer.

Automatic collection runs on the thread that happens to allocate an object. On another thread, it may destroy widgets.
That crashes the app, because Qt objects must be destroyed on their own thread. On the GUI thread, it may run inside a
destructor of Qt that holds a lock. That causes a deadlock.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

INTERVAL_MS = 1_000
FULL_EVERY = 60
"""The oldest generation is collected only every 60 intervals, because it takes longest to traverse and changes
least."""

IMPORTED = 10_000
"""If there are more new objects than this, most of them come from newly imported modules. All objects are then frozen:
later collections skip them. Modules are never freed, and traversing their objects takes long."""


class GarbageCollector(QObject):
    """Turns automatic collection off and collects once per second until `close`. GUI thread only.

    Automatic collection is not turned on again, since the process is about to end."""

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

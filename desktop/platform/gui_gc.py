"""Cyclic garbage, collected on the GUI thread only.

Python collects on whichever thread happens to allocate. A widget that hangs in a cycle would then be destroyed on the
native thread, and Qt objects may die on their own thread only: the process would crash, seldom and anywhere. And on the
GUI thread it may happen in the midst of a destructor of Qt's, which holds a lock that the next destructor waits for:
the process would stand still. So nobody collects but the timer here.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

INTERVAL_MS = 1_000
OLD_EVERY = 60
"""Turns. The oldest generation takes longest and changes least."""

IMPORTED = 10_000
"""So many new objects at once are modules that were imported; they never go, and looking through them stalls."""


class GarbageCollector(QObject):
    """Collects from its making to `close`, after which nobody does: the process ends then. GUI thread only."""

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
        elif self._turn % OLD_EVERY == 0:
            gc.collect(2)
        elif n_new > gc.get_threshold()[0]:
            gc.collect(0 if self._turn % 10 else 1)

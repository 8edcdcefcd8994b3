"""Qt's event loop as asyncio's. It runs until it is stopped, even after Qt has ended its own loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from PySide6.QtCore import QLoggingCategory
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

PAUSE_S = 0.01
POOL_CLOSE_S = 1.5
"""How long closing waits for the threads of the pool: one that reads a network drive may never end."""


class Pool(ThreadPoolExecutor):
    """A pool whose `shutdown` has a time limit. If `is_stuck` afterwards, a thread still runs; then only `os._exit`
    ends the process, since Python joins these threads at exit."""

    is_stuck = False

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        super().shutdown(wait=False, cancel_futures=cancel_futures or wait)
        give_up_s = time.monotonic() + (POOL_CLOSE_S if wait else 0.0)
        for thread in self._threads:
            thread.join(max(0.0, give_up_s - time.monotonic()))
        self.is_stuck = any(thread.is_alive() for thread in self._threads)


class Loop(QEventLoop):  # type: ignore[misc]  # qasync has no types
    """When the display server dies, Qt ends its event loop and each further one at once. Then this loop calls
    `display_lost`, once, and processes events itself until `stop`, so that all can be closed. GUI thread only."""

    def __init__(self, application: QApplication, display_lost: Callable[[], None]) -> None:
        self._application, self._cut_off = application, display_lost
        self._stop_requested = self._is_cut_off = False
        super().__init__(application)
        self._pool = Pool(3, thread_name_prefix="pool")  # qasync's own starts ten QThreads
        self.set_default_executor(self._pool)

    @property
    def is_stuck(self) -> bool:
        """Whether a thread of the pool still runs after the loop was closed."""
        return self._pool.is_stuck

    def run_forever(self) -> None:
        self._stop_requested = False
        if not self._is_cut_off:
            super().run_forever()
        if not self._stop_requested:
            self._run_without_qt()

    def stop(self) -> None:
        self._stop_requested = True
        super().stop()

    def _run_without_qt(self) -> None:
        asyncio._set_running_loop(self)
        try:
            if not self._is_cut_off:
                self._is_cut_off = True
                QLoggingCategory.setFilterRules("default.warning=false")  # Qt would log the lost display in each turn
                self._cut_off()
            while not self._stop_requested:
                self._application.processEvents()
                time.sleep(PAUSE_S)
        finally:
            asyncio._set_running_loop(None)

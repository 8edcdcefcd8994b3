"""The asyncio event loop of the app, which runs on Qt's event loop. The asyncio loop continues even after Qt has ended
its own loop."""

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
"""How long closing the pool waits for its threads. A thread that reads from a network drive may never end."""


class Pool(ThreadPoolExecutor):
    """A thread pool whose `shutdown` has a time limit. Afterwards, `is_stuck` is True if a thread still runs.

    Then only `os._exit` ends the process, because Python joins the threads of a pool at a normal exit."""

    is_stuck = False

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        super().shutdown(wait=False, cancel_futures=cancel_futures or wait)
        give_up_s = time.monotonic() + (POOL_CLOSE_S if wait else 0.0)
        for thread in self._threads:
            thread.join(max(0.0, give_up_s - time.monotonic()))
        self.is_stuck = any(thread.is_alive() for thread in self._threads)


class Loop(QEventLoop):  # type: ignore[misc]  # qasync has no types
    """An asyncio event loop on Qt's event loop that outlives the display server. GUI thread only.

    When the display server dies, Qt ends its event loop, and ends every new one immediately. This loop then calls
    `display_lost` once and processes events itself until `stop`, so that the app can save and close."""

    def __init__(self, application: QApplication, display_lost: Callable[[], None]) -> None:
        self._application, self._cut_off = application, display_lost
        self._stop_requested = self._is_cut_off = False
        super().__init__(application)
        self._pool = Pool(3, thread_name_prefix="pool")  # the default pool of qasync would start ten QThreads
        self.set_default_executor(self._pool)

    @property
    def is_stuck(self) -> bool:
        """Whether a thread of the pool still runs although the loop is closed."""
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
                QLoggingCategory.setFilterRules(
                    "default.warning=false"
                )  # Qt would log the lost display again and again
                self._cut_off()
            while not self._stop_requested:
                self._application.processEvents()
                time.sleep(PAUSE_S)
        finally:
            asyncio._set_running_loop(None)

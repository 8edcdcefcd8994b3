"""Qt's loop as asyncio's, which lasts until it is stopped, even where Qt ends its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from PySide6.QtCore import QLoggingCategory
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

PAUSE_S = 0.01


class Loop(QEventLoop):  # type: ignore[misc]  # qasync has no types
    """Where the X server dies, Qt ends its loop, and would end each further one at once; what is open could then not be
    closed, and its threads would keep the process alive. So `cut_off` is called, once, and events are handed out
    without Qt's loop until `stop`. GUI thread only."""

    def __init__(self, application: QApplication, cut_off: Callable[[], None]) -> None:
        self._application, self._cut_off = application, cut_off
        self._stop_asked = self._is_cut_off = False
        super().__init__(application)
        self.set_default_executor(ThreadPoolExecutor(3, thread_name_prefix="pool"))  # qasync's own starts ten QThreads

    def run_forever(self) -> None:
        self._stop_asked = False
        if not self._is_cut_off:
            super().run_forever()
        if not self._stop_asked:
            self._run_without_qt()

    def stop(self) -> None:
        self._stop_asked = True
        super().stop()

    def _run_without_qt(self) -> None:
        asyncio._set_running_loop(self)
        try:
            if not self._is_cut_off:
                self._is_cut_off = True
                QLoggingCategory.setFilterRules("default.warning=false")  # it would say so again in each turn
                self._cut_off()
            while not self._stop_asked:
                self._application.processEvents()
                time.sleep(PAUSE_S)
        finally:
            asyncio._set_running_loop(None)

"""Emits a Qt signal when the process receives SIGINT (Ctrl+C) or SIGTERM."""

from __future__ import annotations

import signal
import socket
from types import FrameType

from PySide6.QtCore import QObject, QSocketNotifier, Signal


class SignalHandlers(QObject):
    """Handles the signals from its construction until `close`. A second signal ends the process immediately. GUI thread
    only.

    Python runs signal handlers only between bytecode instructions, and none is executed while Qt's event loop waits. So
    Python writes the number of the signal to a socket, which wakes Qt's event loop."""

    quit_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        self._notifier = QSocketNotifier(self._read.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._woken)
        self._former_fd = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        self._former = {number: signal.signal(number, _leave_to_qt) for number in (signal.SIGINT, signal.SIGTERM)}

    def close(self) -> None:
        """Restores the previous handlers. Idempotent."""
        if self._former:
            self._notifier.setEnabled(False)
            signal.set_wakeup_fd(self._former_fd)
            for number, handler in self._former.items():
                signal.signal(number, handler)
            self._former = {}
            self._read.close()
            self._write.close()

    def _woken(self) -> None:
        self._read.recv(64)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        self.quit_requested.emit()


def _leave_to_qt(number: int, frame: FrameType | None) -> None:
    """Does nothing. While this handler is set, Python writes to the socket instead of ending the process."""

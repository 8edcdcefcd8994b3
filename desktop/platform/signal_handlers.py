"""Ctrl+C and the system's wish that we end, turned into a Qt signal."""

from __future__ import annotations

import signal
import socket
from types import FrameType

from PySide6.QtCore import QObject, QSocketNotifier, Signal


class SignalHandlers(QObject):
    """Python runs signal handlers between its own instructions only, and Qt's loop runs none: so the signal's byte

    wakes Qt through a socket. A second signal ends the process as if we had never been here. GUI thread."""

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
        """Puts back what was there before. Idempotent."""
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
    """The byte in the socket says it all."""

"""How a second start of the program reaches the window that is open already: over a socket for this user alone,
on which a call is all that is said."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

PATIENCE_S = 3.0
POLL_MS = 100


def _address(root: Path) -> str:
    """One for each profile; short, since the path of a Unix socket may not be longer than 100 bytes or so."""
    name = f"inglenook-{hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]}"
    if sys.platform == "win32":
        return name
    return str(Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / name)


class Listener(QObject):
    """In force from its making to `close`. GUI thread only."""

    show_asked = Signal()

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._take)
        QLocalServer.removeServer(_address(root))  # one that a killed process left; the lock says that none is alive
        self._server.listen(_address(root))

    def close(self) -> None:
        self._server.close()

    def _take(self) -> None:
        while (caller := self._server.nextPendingConnection()) is not None:
            caller.close()
            caller.deleteLater()
            self.show_asked.emit()


def show_other(root: Path, patience_s: float = PATIENCE_S) -> bool:
    """Asks the window that is open on this profile to come to the front; whether it heard. One that has only just been
    started does not listen yet, and is waited for."""
    socket = QLocalSocket()
    give_up_s = time.monotonic() + patience_s
    while True:
        socket.connectToServer(_address(root))
        if socket.waitForConnected(POLL_MS):
            socket.close()
            return True
        if time.monotonic() > give_up_s:
            return False
        time.sleep(POLL_MS / 1000)

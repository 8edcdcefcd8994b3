"""How a second start of the program reaches the window that is open already: over a socket for this user alone,
on which it says what is wanted of the window in a word."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

PATIENCE_S = 3.0
POLL_MS = 100
MOST_BYTES = 32
Wish = Literal["show", "quick-ask"]


def _address(root: Path) -> str:
    """One for each profile; short, since the path of a Unix socket may not be longer than 100 bytes or so."""
    name = f"inglenook-{hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]}"
    if sys.platform == "win32":
        return name
    return str(Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / name)


class Listener(QObject):
    """In force from its making to `close`. GUI thread only."""

    show_requested = Signal()
    quick_ask_requested = Signal()

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._callers: list[QLocalSocket] = []
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._take)
        QLocalServer.removeServer(_address(root))  # one that a killed process left; the lock says that none is alive
        self._server.listen(_address(root))

    def close(self) -> None:
        self._server.close()
        callers, self._callers = self._callers, []
        for caller in callers:
            caller.abort()

    def _take(self) -> None:
        while self._server.hasPendingConnections():
            caller = self._server.nextPendingConnection()
            self._callers.append(caller)
            caller.disconnected.connect(self._hear)
        self._hear()  # one that has said it and is gone tells no more of it

    def _hear(self) -> None:
        gone = [each for each in self._callers if each.state() == QLocalSocket.LocalSocketState.UnconnectedState]
        for caller in gone:
            self._callers.remove(caller)
            wish = bytes(caller.read(MOST_BYTES).data())
            caller.deleteLater()
            (self.quick_ask_requested if wish == b"quick-ask" else self.show_requested).emit()


def signal_running_instance(root: Path, patience_s: float = PATIENCE_S, wish: Wish = "show") -> bool:
    """Asks the window that is open on this profile to come to the front, or to be asked something; whether it heard.
    One that has only just been started does not listen yet, and is waited for."""
    socket = QLocalSocket()
    give_up_s = time.monotonic() + patience_s
    while True:
        socket.connectToServer(_address(root))
        if socket.waitForConnected(POLL_MS):
            socket.write(wish.encode())
            socket.waitForBytesWritten(POLL_MS)
            socket.disconnectFromServer()
            return True
        if time.monotonic() > give_up_s:
            return False
        time.sleep(POLL_MS / 1000)

"""A local socket through which a second start of the app sends a request to the running instance.

This module is separate from `instance_lock` because importing QtNetwork takes 15 ms, and the first paint does not need
it.
"""

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

TIMEOUT_S = 3.0
POLL_MS = 100
MAX_REQUEST_BYTES = 32
Request = Literal["show", "quick-ask"]


class InstanceServer(QObject):
    """Receives the requests of later starts, on a local socket that only this user can connect to. It listens from its
    construction until `close`. GUI thread only."""

    show_requested = Signal()
    quick_ask_requested = Signal()

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._clients: list[QLocalSocket] = []
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._accept)
        # The socket of a killed process may still exist. The instance lock ensures that no other instance uses it.
        QLocalServer.removeServer(_address(root))
        self._server.listen(_address(root))

    def close(self) -> None:
        self._server.close()
        clients, self._clients = self._clients, []
        for client in clients:
            client.abort()

    def _accept(self) -> None:
        while self._server.hasPendingConnections():
            client = self._server.nextPendingConnection()
            self._clients.append(client)
            client.disconnected.connect(self._read_requests)
        self._read_requests()  # a client that has already disconnected emits no further signal

    def _read_requests(self) -> None:
        """Reads the request of each client that has disconnected."""
        gone = [each for each in self._clients if each.state() == QLocalSocket.LocalSocketState.UnconnectedState]
        for client in gone:
            self._clients.remove(client)
            request = bytes(client.read(MAX_REQUEST_BYTES).data())
            client.deleteLater()
            (self.quick_ask_requested if request == b"quick-ask" else self.show_requested).emit()


def signal_running_instance(root: Path, timeout_s: float = TIMEOUT_S, request: Request = "show") -> bool:
    """Requests the running instance on this profile to show its window or Quick ask. Returns False if none was reached.

    Blocks for up to `timeout_s`, because an instance that is still starting does not listen yet."""
    socket = QLocalSocket()
    give_up_s = time.monotonic() + timeout_s
    while True:
        socket.connectToServer(_address(root))
        if socket.waitForConnected(POLL_MS):
            socket.write(request.encode())
            socket.waitForBytesWritten(POLL_MS)
            socket.disconnectFromServer()
            return True
        if time.monotonic() > give_up_s:
            return False
        time.sleep(POLL_MS / 1000)


def _address(root: Path) -> str:
    """The path of the socket, or the name of the pipe on Windows; different for each profile.

    It is short, because the path of a Unix socket is limited to about 100 bytes."""
    name = f"inglenook-{hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]}"
    if sys.platform == "win32":
        return name
    return str(Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / name)

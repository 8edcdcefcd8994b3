"""A lock that allows one running instance for each profile: two would overwrite each other's chats."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO

from engine.files.private_files import open_private


class InstanceLock:
    """A file lock that the operating system releases when the process ends, even after a crash.

    QLockFile is not used, because it identifies the owner by process id and program name. After a crash, any other
    `python3.11` process with the same id makes it report the lock as held. That is likely in a container (measured with
    Qt 6.11).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def acquire(self) -> bool:
        """Takes the lock. Returns False if another process holds it. Raises OSError."""
        file = open(self._path, "ab", opener=open_private)  # noqa: SIM115 -- it stays open until `release`
        try:
            if sys.platform == "win32":
                import msvcrt

                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            file.close()
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Releases the lock. Idempotent."""
        if self._file is not None:
            self._file.close()
            self._file = None

"""Errors of the chat database. They carry data; `desktop.error_messages` turns them into sentences.

StoreError
├── StoreFull         the disk is full
├── StoreDamaged      the file is corrupt or not a database
├── StoreNewer        the file was written by a newer version of Inglenook
├── StoreRefused      SQLite rejected a value; the file itself is intact
└── StoreUnreachable  the file cannot be opened, read or written
"""

from __future__ import annotations

from pathlib import Path


class StoreError(Exception):
    """Base class of all errors of the store."""


class StoreFull(StoreError):
    pass


class StoreDamaged(StoreError):
    """The file is corrupt or not a database. `kept_as` is the new path of the damaged file, None if it was not moved.
    `n_chats` and `n_messages` are the numbers of recovered chats and messages."""

    def __init__(self, kept_as: Path | None = None, n_chats: int = 0, n_messages: int = 0) -> None:
        super().__init__(f"the chat database is damaged, kept as {kept_as}")
        self.kept_as = kept_as
        self.n_chats = n_chats
        self.n_messages = n_messages


class StoreNewer(StoreError):
    def __init__(self, found: int, known: int) -> None:
        super().__init__(f"the chat database has schema version {found}, this version knows {known}")
        self.found = found
        self.known = known


class StoreRefused(StoreError):
    """SQLite rejected a value that violates a constraint, such as a duplicate id or a number out of range. The cause is
    a bug in Inglenook or an edited import file."""


class StoreUnreachable(StoreError):
    """The file cannot be opened, read or written. `reason` is the message of SQLite or of the operating system."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

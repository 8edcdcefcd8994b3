"""What can go wrong while chats are kept. Data only; the sentences are in `desktop.error_messages`.

StoreError
├── StoreFull         no room on the disk
├── StoreDamaged      the file is no sound database
├── StoreNewer        the file was written by a newer Inglenook
├── StoreRefused      a value that the file does not take; the file itself is sound
└── StoreUnreachable  the file cannot be opened, read or written
"""

from __future__ import annotations

from pathlib import Path


class StoreError(Exception):
    """Base of all that the store raises."""


class StoreFull(StoreError):
    pass


class StoreDamaged(StoreError):
    """`kept_as` names the file that the damaged one was moved to, where that has happened; so many chats and messages
    of it are in the new one."""

    def __init__(self, kept_as: Path | None = None, n_chats: int = 0, n_messages: int = 0) -> None:
        super().__init__(f"the chats' file is damaged, kept as {kept_as}")
        self.kept_as = kept_as
        self.n_chats = n_chats
        self.n_messages = n_messages


class StoreNewer(StoreError):
    def __init__(self, found: int, known: int) -> None:
        super().__init__(f"the chats' file has layout {found}, this version knows {known}")
        self.found = found
        self.known = known


class StoreRefused(StoreError):
    """A value violates a constraint, such as an id that exists or a number out of range: our bug, or an edited file."""


class StoreUnreachable(StoreError):
    """`reason` is the system's own words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

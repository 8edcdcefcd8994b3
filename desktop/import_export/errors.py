"""What can go wrong while chats come in or go out. Data only; the sentences are in `desktop.error_messages`.

ImportExportError
├── UnknownFormat   the file is of none of the kinds that we read
└── UnreadableFile      it is of such a kind, but damaged, or cannot be read at all
"""

from __future__ import annotations


class ImportExportError(Exception):
    """Base of all that importing and exporting raise."""

    def __init__(self, name: str, reason: str = "") -> None:
        """`name` is the file's, without its folder; `reason` the reader's or the system's own words."""
        super().__init__(f"{name}: {reason}" if reason else name)
        self.name = name
        self.reason = reason


class UnknownFormat(ImportExportError):
    pass


class UnreadableFile(ImportExportError):
    pass

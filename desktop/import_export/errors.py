"""Errors of import, export, backup and restore. They carry data; `strings.py` and `desktop.error_messages` turn them
into sentences.

ImportExportError
├── UnknownFormat    the file has none of the supported formats
└── UnreadableFile   the file is damaged, or cannot be read or written
"""

from __future__ import annotations

import zlib
from enum import StrEnum
from zipfile import BadZipFile

DAMAGE_ERRORS = (LookupError, TypeError, ValueError, AttributeError, RecursionError, OverflowError)
"""Exceptions that reading a malformed document may raise."""

ZIP_ERRORS = (BadZipFile, EOFError, RuntimeError, zlib.error, ValueError, LookupError)
"""Exceptions that `zipfile` raises for damaged bytes, unknown compression methods and encrypted entries."""


class Problem(StrEnum):
    """Why a file is unreadable. The reader process sends these values to the app, and they are written to the log."""

    TOO_LARGE = "too large"
    NEWER_VERSION = "newer version"
    CHATS_DAMAGED = "chats damaged"
    ARCHIVE_UNREADABLE = "archive unreadable"
    NO_KNOWN_CHATS = "no known chats"
    READER_CRASHED = "reader crashed"


class ImportExportError(Exception):
    """Base class of the errors of this package. `name` is the name of the file, without its folder."""

    def __init__(self, name: str, reason: Problem | str = "") -> None:
        super().__init__(f"{name}: {reason}" if reason else name)
        self.name = name
        self.reason = reason


class UnknownFormat(ImportExportError):
    pass


class UnreadableFile(ImportExportError):
    """A file is damaged, or cannot be read or written. `reason` is a `Problem`, or the message of the operating system,
    of SQLite or of a library."""


def file_error(name: str, error: BaseException) -> UnreadableFile:
    """Converts an error of the operating system, SQLite or `zipfile` to an `UnreadableFile`."""
    return UnreadableFile(name, getattr(error, "strerror", None) or str(error))

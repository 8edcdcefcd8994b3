"""Errors of files that cannot be attached. Their texts for the screen are in `desktop.chat.strings`.

AttachError
├── NotText         neither text nor a supported document
├── TooLarge        more bytes, pages or characters than allowed
├── Encrypted       requires a password
├── Damaged         invalid for its format
├── NoText          contains no text, for example a scan
├── TooSlow         reading took too long
└── Unreachable     the system cannot open it
"""

from __future__ import annotations

from typing import Literal


class AttachError(Exception):
    """Base class of the errors of attached files. `name` is the name of the file."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{type(self).__name__}: {name}")
        self.name = name


class NotText(AttachError):
    pass


Measure = Literal["bytes", "pages", "characters"]


class TooLarge(AttachError):
    """The file exceeds a limit. `most` is the limit, in units of `measure`."""

    def __init__(self, name: str, measure: Measure, most: int) -> None:
        super().__init__(name)
        self.measure: Measure = measure
        self.most = most


class Encrypted(AttachError):
    pass


class Damaged(AttachError):
    pass


class NoText(AttachError):
    """The file contains no text. If `is_empty` is True, the file is a blank text file; otherwise it is a document, for
    example a scan."""

    def __init__(self, name: str, *, is_empty: bool = False) -> None:
        super().__init__(name)
        self.is_empty = is_empty


class TooSlow(AttachError):
    pass


class Unreachable(AttachError):
    """The system cannot open the file. `reason` is the error message of the system."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name)
        self.reason = reason

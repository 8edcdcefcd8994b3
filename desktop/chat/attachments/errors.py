"""Why a file cannot be attached. Data only; the sentences are in `desktop.chat.strings`.

AttachError
├── NotText         neither text nor a document that is known
├── TooLarge        more bytes, pages or characters than are read
├── Encrypted       a password is asked for
├── Damaged         no sound file of its kind
├── NoText          nothing to read in it, as in a scan
├── TooSlow         not read within the time there is
└── Unreachable     the system does not let it be read
"""

from __future__ import annotations

from typing import Literal


class AttachError(Exception):
    """Base of all that reading a file raises. `name` is the file's."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{type(self).__name__}: {name}")
        self.name = name


class NotText(AttachError):
    pass


Measure = Literal["bytes", "pages", "characters"]


class TooLarge(AttachError):
    """`most` is how much of that measure is read."""

    def __init__(self, name: str, measure: Measure, most: int) -> None:
        super().__init__(name)
        self.measure: Measure = measure
        self.most = most


class Encrypted(AttachError):
    pass


class Damaged(AttachError):
    pass


class NoText(AttachError):
    """`is_empty`: a file of text with nothing in it, rather than a document that may be a scan."""

    def __init__(self, name: str, *, is_empty: bool = False) -> None:
        super().__init__(name)
        self.is_empty = is_empty


class TooSlow(AttachError):
    pass


class Unreachable(AttachError):
    """`reason` is the system's own words."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name)
        self.reason = reason

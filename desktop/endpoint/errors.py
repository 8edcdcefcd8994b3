"""Errors of the endpoint: PortTaken; KeyNameTaken, InvalidKeyName; BodyNotStored, BodyUnreadable."""

from __future__ import annotations


class PortTaken(Exception):
    """Another program listens on the port."""

    def __init__(self, port: int) -> None:
        super().__init__(f"port {port} is taken")
        self.port = port


class KeyNameTaken(Exception):
    """There already is a key with this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a key named {name!r}")
        self.name = name


class InvalidKeyName(Exception):
    """The name is empty, too long or not printable."""


class BodyNotStored(Exception):
    """The body of the request was not stored, because the user had not turned on the storing of request bodies."""


class BodyUnreadable(Exception):
    """The stored request body contains no conversation: it was too long and cut off, or the request is of another
    kind."""

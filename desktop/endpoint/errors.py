"""What keeps the endpoint from starting, a key from being made, or a request from being opened as a chat.

PortTaken; KeyNameTaken, InvalidKeyName; BodyNotStored, BodyUnreadable.
"""

from __future__ import annotations


class PortTaken(Exception):
    """Another program listens on the port."""

    def __init__(self, port: int) -> None:
        super().__init__(f"port {port} is taken")
        self.port = port


class KeyNameTaken(Exception):
    """There is a key of this name already."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a key named {name!r}")
        self.name = name


class InvalidKeyName(Exception):
    """A name that is empty, too long, or cannot be printed."""


class BodyNotStored(Exception):
    """What was asked is not kept, since nobody has said that it should be."""


class BodyUnreadable(Exception):
    """A kept body that holds no conversation: cut since it is long, or a request for something else."""

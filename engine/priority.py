"""Origins of requests and the scheduling priority that follows from them."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

Origin = Literal["window", "endpoint"]
"""Who made a request: the user in the app's window, or a program through the HTTP endpoint."""


class Priority(IntEnum):
    """Priority of a request, and of the KV prefixes that the request leaves in the cache. Lower values are served
    first."""

    WINDOW = 0
    ENDPOINT = 1
    BACKGROUND = 2
    """Background work, such as generating chat titles. It is served last and never evicts a cached prefix of a chat in
    the app's window."""

    @classmethod
    def of(cls, origin: Origin, *, background: bool = False) -> Priority:
        if background:
            return cls.BACKGROUND
        return cls.WINDOW if origin == "window" else cls.ENDPOINT

    @property
    def origin(self) -> Origin:
        """The origin to which KV memory of this priority is attributed. For background work, that is "window"."""
        return "endpoint" if self is Priority.ENDPOINT else "window"

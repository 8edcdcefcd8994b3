"""Origins of requests and the scheduling priority that follows from them."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

Origin = Literal["window", "endpoint"]
"""Who made a request: the user at the window, or a tool through the HTTP endpoint."""


class Priority(IntEnum):
    """Priority of a request, and of the KV prefixes that it leaves behind. Lower values are served first."""

    WINDOW = 0
    ENDPOINT = 1
    BACKGROUND = 2
    """Chat titles and the like. Runs last and never evicts a prefix of the window."""

    @classmethod
    def of(cls, origin: Origin, *, background: bool = False) -> Priority:
        if background:
            return cls.BACKGROUND
        return cls.WINDOW if origin == "window" else cls.ENDPOINT

    @property
    def origin(self) -> Origin:
        """The origin that KV memory of this priority is attributed to; background work counts as the window's."""
        return "endpoint" if self is Priority.ENDPOINT else "window"

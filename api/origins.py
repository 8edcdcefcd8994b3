"""The web pages and apps that may use the endpoint from a browser, and those that were refused of late."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from api.settings import ORIGIN

MAX_REFUSED = 5
"""Remembered. Any web page can have itself refused."""
MAX_ORIGIN_CHARS = 200


class Origins:
    """`listed`, `allow_only` and `refused` belong to any thread, `refuse` to the endpoint's loop."""

    def __init__(self, listed: Iterable[str]) -> None:
        self.listed = frozenset(listed)
        self.refused: tuple[str, ...] = ()
        """The newest first, without those that were listed meanwhile."""
        self.on_refused: Callable[[], None] = lambda: None
        """Called on the endpoint's loop when an origin is refused that was not refused before; it must be quick."""

    def __contains__(self, origin: bytes) -> bool:
        return origin.decode("latin-1") in self.listed

    def allow_only(self, listed: Iterable[str]) -> None:
        """From the next request on."""
        self.listed = frozenset(listed)
        self.refused = tuple(each for each in self.refused if each not in self.listed)

    def refuse(self, origin: bytes) -> str:
        """Remembers an origin that could be listed; "" where it could not, such as "null"."""
        name = origin.decode("latin-1")
        if len(name) > MAX_ORIGIN_CHARS or not ORIGIN.fullmatch(name):
            return ""
        if self.refused[:1] != (name,):
            known = name in self.refused
            self.refused = (name, *(each for each in self.refused if each != name))[:MAX_REFUSED]
            if not known:
                self.on_refused()
        return name

"""Ends a text before the first stop string, independent of how the text is split into tokens."""

from __future__ import annotations

from collections.abc import Sequence


class StopStrings:
    """Passes text through and holds back what could still become a stop string.

    The stop string that is completed first ends the text; of two completed by the same character, the longer one."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(sorted({stop for stop in stops if stop}, key=len, reverse=True))
        self._held = ""
        self.found: str | None = None
        """The stop string that ended the text."""

    def feed(self, text: str) -> tuple[str, bool]:
        """The text that is safe to emit, and whether a stop string ended it."""
        if not self._stops:
            return text, False
        held = self._held + text
        if (first := self._earliest_match(held)) is not None:
            cut, self.found = first
            self._held = ""
            return held[:cut], True
        safe = len(held) - self._n_partial_match(held)
        self._held = held[safe:]
        return held[:safe], False

    def flush(self) -> str:
        """The text held back so far, at the end of the answer."""
        held, self._held = self._held, ""
        return held

    def _earliest_match(self, text: str) -> tuple[int, str] | None:
        """Its position, and the stop string."""
        found = [(at + len(stop), at, stop) for stop in self._stops if (at := text.find(stop)) >= 0]
        return min(found)[1:] if found else None

    def _n_partial_match(self, text: str) -> int:
        """The length of the longest suffix of `text` with which a stop string starts."""
        longest = 0
        for stop in self._stops:
            for n in range(min(len(stop) - 1, len(text)), longest, -1):
                if text.endswith(stop[:n]):
                    longest = n
                    break
        return longest

"""Ends a text before its first stop string, no matter how the text is split into tokens."""

from __future__ import annotations

from collections.abc import Sequence


class StopStrings:
    """Searches streamed text for stop strings, and holds back what could still become one.

    The stop string that is completed first ends the text. If two are completed by the same character, the longer one
    does."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(sorted({stop for stop in stops if stop}, key=len, reverse=True))
        self._held = ""
        self.found: str | None = None
        """The stop string that ended the text; None if none did."""

    def feed(self, text: str) -> tuple[str, bool]:
        """Feeds a piece of text. Returns the text that is safe to emit, and whether a stop string ended it."""
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
        """Ends the text, and returns what was held back."""
        held, self._held = self._held, ""
        return held

    def _earliest_match(self, text: str) -> tuple[int, str] | None:
        """The position and the text of the stop string that is completed first; None if there is none."""
        found = [(at + len(stop), at, stop) for stop in self._stops if (at := text.find(stop)) >= 0]
        return min(found)[1:] if found else None

    def _n_partial_match(self, text: str) -> int:
        """The length of the longest suffix of `text` that is the start of a stop string."""
        longest = 0
        for stop in self._stops:
            for n in range(min(len(stop) - 1, len(text)), longest, -1):
                if text.endswith(stop[:n]):
                    longest = n
                    break
        return longest

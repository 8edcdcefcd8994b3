"""Stop strings: where one comes in the text, the text ends before it, however the tokens cut it."""

from __future__ import annotations

from collections.abc import Sequence


class StopStrings:
    """Passes text on and holds back whatever could still become a stop string.

    The first stop string to be complete ends the text; where two are complete with the same character, the longer
    one. So the result does not depend on how the text was cut into pieces."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(sorted({stop for stop in stops if stop}, key=len, reverse=True))
        self._held = ""
        self.found: str | None = None
        """The stop string that ended the text."""

    def feed(self, text: str) -> tuple[str, bool]:
        """Text that is now safe to show, and whether a stop string ended it."""
        if not self._stops:
            return text, False
        held = self._held + text
        if (first := self._first_complete(held)) is not None:
            cut, self.found = first
            self._held = ""
            return held[:cut], True
        safe = len(held) - self._n_undecided(held)
        self._held = held[safe:]
        return held[:safe], False

    def flush(self) -> str:
        """What was held back, once nothing more can come."""
        held, self._held = self._held, ""
        return held

    def _first_complete(self, text: str) -> tuple[int, str] | None:
        """Where it begins, and which it is."""
        found = [(at + len(stop), at, stop) for stop in self._stops if (at := text.find(stop)) >= 0]
        return min(found)[1:] if found else None

    def _n_undecided(self, text: str) -> int:
        """Length of the longest end of `text` with which a stop string begins."""
        longest = 0
        for stop in self._stops:
            for n in range(min(len(stop) - 1, len(text)), longest, -1):
                if text.endswith(stop[:n]):
                    longest = n
                    break
        return longest

"""Text that arrives in pieces, read as if it were whole.

The readers are generators: they run until they need a character that has not come yet, then yield. What they decide
depends only on characters, never on where the pieces end; so however the text is cut, the result is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

T = TypeVar("T")
ScanStep = Generator[None, None, T]
"""A reader that yields when it needs more text, and returns T."""

END = ""
SPACE = frozenset(" \t\r\n")


class Malformed(Exception):
    """What comes is not what had to come."""


class IncrementalScanner:
    """A cursor over the text so far. `hold` remembers a place to come back to; what lies before is forgotten."""

    def __init__(self) -> None:
        self._text = ""
        self._at = 0
        self._dropped = 0
        self._holds: list[int] = []
        self._ended = False

    def add(self, text: str) -> None:
        kept = min(self._at, self._holds[0] - self._dropped) if self._holds else self._at
        self._text = self._text[kept:] + text
        self._at -= kept
        self._dropped += kept

    def end(self) -> None:
        """Nothing more comes."""
        self._ended = True

    @property
    def is_exhausted(self) -> bool:
        """Whether the text has ended and all of it was read."""
        return self._ended and self._at >= len(self._text)

    def hold(self) -> int:
        self._holds.append(self._dropped + self._at)
        return self._holds[-1]

    def rewind(self, place: int) -> None:
        """Back to a held place, which is held no longer."""
        self._at = place - self._dropped
        self._holds.remove(place)

    def release(self, place: int) -> None:
        if place in self._holds:
            self._holds.remove(place)

    def release_all(self) -> None:
        """There is no way back any more from where the cursor is."""
        self._holds.clear()

    def peek(self) -> ScanStep[str]:
        """The next character, not consumed; END where none comes."""
        while self._at >= len(self._text):
            if self._ended:
                return END
            yield
        return self._text[self._at]

    def char(self) -> ScanStep[str]:
        """The next character; END where none comes."""
        char = yield from self.peek()
        self._at += len(char)
        return char

    def run(self, stops: frozenset[str]) -> str:
        """What is already here, up to a character of `stops`. Perhaps nothing."""
        start = self._at
        while self._at < len(self._text) and self._text[self._at] not in stops:
            self._at += 1
        return self._text[start : self._at]

    def space(self) -> ScanStep[str]:
        """All white space from here."""
        found = []
        while (yield from self.peek()) in SPACE:
            found.append((yield from self.char()))
        return "".join(found)

    def literal(self, text: str) -> ScanStep[bool]:
        """Whether `text` stands here. Consumes it, or nothing."""
        place = self.hold()
        for wanted in text:
            if (yield from self.peek()) != wanted:
                self.rewind(place)
                return False
            self._at += 1
        self.release(place)
        return True

    def one_of(self, texts: Sequence[str]) -> ScanStep[str]:
        """The first of `texts` that stands here, consumed; "" where none does."""
        for text in texts:
            if text and (yield from self.literal(text)):
                return text
        return ""

    def ahead(self, text: str) -> ScanStep[bool]:
        """Whether `text` stands here. Consumes nothing."""
        place = self.hold()
        found = yield from self.literal(text)
        self.rewind(place)
        return found

    def until(self, texts: Sequence[str], say: Callable[[str], None]) -> ScanStep[str]:
        """Says what stands before the first of `texts` and consumes that one. Returns it, or "" at the end."""
        firsts = frozenset(text[0] for text in texts)
        while char := (yield from self.peek()):
            if char in firsts:
                if found := (yield from self.one_of(texts)):
                    return found
                say((yield from self.char()))
            else:
                say(self.run(firsts))
        return ""

"""A scanner for text that arrives in pieces.

Parsers that use it are generators. They run until they need a character that has not arrived, then yield. Their
decisions depend only on the characters, not on where the pieces end. Every split of a text therefore gives the same
result.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

T = TypeVar("T")
ScanStep = Generator[None, None, T]
"""A parser as a generator: it yields when it needs more text, and returns T."""

END = ""
SPACE = frozenset(" \t\r\n")


class Malformed(Exception):
    """The text does not have the expected syntax."""


class IncrementalScanner:
    """Reads text from start to end. `mark` saves a position for `rewind`. Text before the oldest mark is discarded."""

    def __init__(self) -> None:
        self._text = ""
        self._at = 0
        self._n_discarded = 0
        self._marks: list[int] = []
        self._closed = False

    def feed(self, text: str) -> None:
        kept_from = min(self._at, self._marks[0] - self._n_discarded) if self._marks else self._at
        self._text = self._text[kept_from:] + text
        self._at -= kept_from
        self._n_discarded += kept_from

    def close(self) -> None:
        """Declares that no more text will be fed."""
        self._closed = True

    @property
    def is_at_end(self) -> bool:
        """Whether the scanner is closed and all its text was read."""
        return self._closed and self._at >= len(self._text)

    def mark(self) -> int:
        """Saves the current position until `rewind` or `release`, and returns it."""
        self._marks.append(self._n_discarded + self._at)
        return self._marks[-1]

    def rewind(self, mark: int) -> None:
        """Moves back to a mark and removes the mark."""
        self._at = mark - self._n_discarded
        self._marks.remove(mark)

    def release(self, mark: int) -> None:
        """Removes a mark. Does nothing if the mark was already removed."""
        if mark in self._marks:
            self._marks.remove(mark)

    def release_marks(self) -> None:
        """Removes all marks."""
        self._marks.clear()

    def peek(self) -> ScanStep[str]:
        """Returns the next character without consuming it; END at the end of the text."""
        while self._at >= len(self._text):
            if self._closed:
                return END
            yield
        return self._text[self._at]

    def next_char(self) -> ScanStep[str]:
        """Consumes and returns the next character; END at the end of the text."""
        char = yield from self.peek()
        self._at += len(char)
        return char

    def take_until(self, stops: frozenset[str]) -> str:
        """Consumes and returns the available text before the next character in `stops`.

        The text may be empty. Never waits for more text."""
        start = self._at
        while self._at < len(self._text) and self._text[self._at] not in stops:
            self._at += 1
        return self._text[start : self._at]

    def whitespace(self) -> ScanStep[str]:
        """Consumes and returns all white space that comes next."""
        found = []
        while (yield from self.peek()) in SPACE:
            found.append((yield from self.next_char()))
        return "".join(found)

    def match(self, text: str) -> ScanStep[bool]:
        """Whether `text` comes next. Consumes it if so, otherwise nothing."""
        start = self.mark()
        for wanted in text:
            if (yield from self.peek()) != wanted:
                self.rewind(start)
                return False
            self._at += 1
        self.release(start)
        return True

    def match_any(self, texts: Sequence[str]) -> ScanStep[str]:
        """Consumes and returns the first of `texts` that comes next; an empty text if none does."""
        for text in texts:
            if text and (yield from self.match(text)):
                return text
        return ""

    def lookahead(self, text: str) -> ScanStep[bool]:
        """Whether `text` comes next. Consumes nothing."""
        start = self.mark()
        found = yield from self.match(text)
        self.rewind(start)
        return found

    def read_until(self, texts: Sequence[str], emit: Callable[[str], None]) -> ScanStep[str]:
        """Emits everything before the first of `texts`, then consumes and returns that one.

        Returns an empty text if none of them comes before the end."""
        first_chars = frozenset(text[0] for text in texts)
        while char := (yield from self.peek()):
            if char in first_chars:
                if found := (yield from self.match_any(texts)):
                    return found
                emit((yield from self.next_char()))
            else:
                emit(self.take_until(first_chars))
        return ""

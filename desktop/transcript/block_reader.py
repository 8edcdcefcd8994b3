"""Reads the text of a message into blocks, and code into HTML: at once, as it grows, or step by step."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.render.blocks import Block
from desktop.render.code_highlighting import code_html
from desktop.render.growing_code import IncrementalHighlighter
from desktop.render.markdown import IncrementalMarkdown, blocks, cached_blocks, needs_full_parse

STEP = 4_000
"""Characters that are read at once; the rest of a longer text is read in later steps, so that the window responds."""
WHOLE = 20_000
"""Characters up to which a text that grew is read once more as a whole, where it must be."""


class BlockReader:
    """For one message. GUI thread only."""

    def __init__(self, *, grows: bool, in_steps: bool) -> None:
        """`grows`: the answer is being written. `in_steps`: a long text is read in parts."""
        self._growing = IncrementalMarkdown() if grows else None
        self._in_steps = in_steps
        self._partial: IncrementalMarkdown | None = None
        """Reads a long text in steps."""
        self._read_to = 0
        self._growing_code: tuple[tuple[int, str], IncrementalHighlighter] | None = None

    @property
    def grows(self) -> bool:
        """Whether texts are read as continuations of the one before."""
        return self._growing is not None

    def read(self, text: str, *, go_on: bool) -> Sequence[Block]:
        """The blocks of the whole text where it is short, grows, or was read before; else of its beginning, one step
        further if `go_on`."""
        if self._growing is not None:
            return self._growing.feed(text)
        known = cached_blocks(text)
        if known is not None or len(text) <= STEP or not self._in_steps:
            self._partial = None
            return known if known is not None else blocks(text)
        if self._partial is None:
            self._partial, self._read_to = IncrementalMarkdown(), 0
        if go_on:
            self._read_to = _next_cut(text, self._read_to + STEP)
        return self._partial.feed(text[: self._read_to])

    def has_more(self, text: str) -> bool:
        """Whether another step would read more of `text`."""
        return self._partial is not None and self._read_to < len(text)

    def restart(self) -> None:
        """The text has changed: reading in steps begins anew."""
        self._partial = None

    def end(self, text: str) -> bool:
        """The text grows no more. Returns whether it must be read once more, as a whole."""
        if not needs_full_parse(text) or len(text) > WHOLE:
            return False
        self._growing = None
        return True

    def html(self, block: Block, number: int = -1) -> str:
        """The HTML of a block; that of code which grows continues the one before, for the same `number`."""
        if block.kind != "code":
            return block.html
        if (self._growing is None and self._partial is None) or number < 0:
            return code_html(block.code, block.language)
        place = number, block.language  # the language's name grows too
        if self._growing_code is None or self._growing_code[0] != place:
            self._growing_code = place, IncrementalHighlighter(block.language)
        return self._growing_code[1].feed(block.code)


def _next_cut(text: str, near: int) -> int:
    """A place at or before `near`, at the end of a paragraph, a line or a word where there is one."""
    if near >= len(text):
        return len(text)
    for mark in ("\n\n", "\n", " "):
        at = text.rfind(mark, near - STEP // 2, near)
        if at > 0:
            return at + len(mark)
    return near

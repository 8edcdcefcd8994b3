"""Parses the text of a message into blocks: at once, incrementally while it streams, or in steps if it is long."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.render.blocks import Block
from desktop.render.code_highlighting import IncrementalHighlighter, code_html
from desktop.render.markdown import IncrementalMarkdown, blocks, cached_blocks, needs_full_parse

STEP_LENGTH = 4_000
"""Characters that are parsed at once. The rest of a longer text is parsed in later steps, so that input is handled."""
MAX_REPARSED_LENGTH = 20_000
"""Characters up to which a streamed text is parsed again as a whole at its end, if that may change its blocks."""


class BlockReader:
    """For one message. GUI thread only."""

    def __init__(self, *, grows: bool, in_steps: bool) -> None:
        """`grows`: the text is streaming. `in_steps`: a long text is parsed in steps."""
        self._growing = IncrementalMarkdown() if grows else None
        self._in_steps = in_steps
        self._partial: IncrementalMarkdown | None = None
        """Parses a long text in steps."""
        self._read_to = 0
        self._growing_code: tuple[tuple[int, str], IncrementalHighlighter] | None = None

    @property
    def grows(self) -> bool:
        """Whether each text is parsed as a continuation of the one before."""
        return self._growing is not None

    def read(self, text: str, *, advance: bool) -> Sequence[Block]:
        """The blocks of the text; of a long one, those of its beginning that was parsed so far.

        `advance`: parse one more step of a long text."""
        if self._growing is not None:
            return self._growing.feed(text)
        known = cached_blocks(text)
        if known is not None or len(text) <= STEP_LENGTH or not self._in_steps:
            self._partial = None
            return known if known is not None else blocks(text)
        if self._partial is None:
            self._partial, self._read_to = IncrementalMarkdown(), 0
        if advance:
            self._read_to = _next_cut(text, self._read_to + STEP_LENGTH)
        return self._partial.feed(text[: self._read_to])

    def has_more(self, text: str) -> bool:
        """Whether another step would parse more of `text`."""
        return self._partial is not None and self._read_to < len(text)

    def restart(self) -> None:
        """The text has changed: parses it from its start again."""
        self._partial = None

    def end(self, text: str) -> bool:
        """The text is complete. True if it must be read again, as a whole."""
        if not needs_full_parse(text) or len(text) > MAX_REPARSED_LENGTH:
            return False
        self._growing = None
        return True

    def html(self, block: Block, number: int = -1) -> str:
        """The HTML of a block, with highlighting for code. For streaming code pass the block's number, from 0."""
        if block.kind != "code":
            return block.html
        if (self._growing is None and self._partial is None) or number < 0:
            return code_html(block.code, block.language)
        key = number, block.language  # the name of the language streams in, too
        if self._growing_code is None or self._growing_code[0] != key:
            self._growing_code = key, IncrementalHighlighter(block.language)
        return self._growing_code[1].feed(block.code)


def _next_cut(text: str, near: int) -> int:
    """An offset at or before `near`: after a paragraph, line or word if possible."""
    if near >= len(text):
        return len(text)
    for separator in ("\n\n", "\n", " "):
        at = text.rfind(separator, near - STEP_LENGTH // 2, near)
        if at > 0:
            return at + len(separator)
    return near

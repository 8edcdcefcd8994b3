"""Parses the text of a message into blocks: at once, incrementally while it streams, or in steps if it is long."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.render.blocks import Block
from desktop.render.code_highlighting import IncrementalHighlighter, code_html
from desktop.render.markdown import IncrementalMarkdown, blocks, cached_blocks, needs_full_parse

STEP_LENGTH = 4_000
"""The number of characters that are parsed in one step. A longer text takes several steps, so that input is handled in
between."""
MAX_REPARSED_LENGTH = 20_000
"""When a streamed text is complete and has at most this many characters, it is parsed again if this may change its
blocks."""


class BlockReader:
    """Parses the text of one message. GUI thread only."""

    def __init__(self, *, grows: bool, in_steps: bool) -> None:
        """With `grows`, the text is streaming. With `in_steps`, a long text is parsed in steps, which `read`
        advances."""
        self._growing = IncrementalMarkdown() if grows else None
        self._in_steps = in_steps
        self._partial: IncrementalMarkdown | None = None
        """The parser of a long text that is parsed in steps."""
        self._read_to = 0
        self._growing_code: tuple[tuple[int, str], IncrementalHighlighter] | None = None

    @property
    def grows(self) -> bool:
        """Whether the text is streaming, so that each text continues the previous one."""
        return self._growing is not None

    def read(self, text: str, *, advance: bool) -> Sequence[Block]:
        """The blocks of the text. If the text is parsed in steps, these are only the blocks of the part parsed so far.

        With `advance`, one more step of such a text is parsed."""
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
        """Whether a step is left in which more of `text` is parsed."""
        return self._partial is not None and self._read_to < len(text)

    def restart(self) -> None:
        """Makes the next `read` start again from the beginning, because the text has changed."""
        self._partial = None

    def end(self, text: str) -> bool:
        """Called when a streaming text is complete. Returns True if the text must be read again, as a whole."""
        if not needs_full_parse(text) or len(text) > MAX_REPARSED_LENGTH:
            return False
        self._growing = None
        return True

    def html(self, block: Block, number: int = -1) -> str:
        """The HTML of a block; code is highlighted. For streaming code, `number` is the index of the block in the
        message."""
        if block.kind != "code":
            return block.html
        if (self._growing is None and self._partial is None) or number < 0:
            return code_html(block.code, block.language)
        key = number, block.language  # while it streams, the name of the language may still be incomplete
        if self._growing_code is None or self._growing_code[0] != key:
            self._growing_code = key, IncrementalHighlighter(block.language)
        return self._growing_code[1].feed(block.code)


def _next_cut(text: str, near: int) -> int:
    """The offset at which the next step ends, at most `near`: after a paragraph, else after a line, else after a
    word."""
    if near >= len(text):
        return len(text)
    for separator in ("\n\n", "\n", " "):
        at = text.rfind(separator, near - STEP_LENGTH // 2, near)
        if at > 0:
            return at + len(separator)
    return near

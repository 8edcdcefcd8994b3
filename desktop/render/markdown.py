"""Markdown → blocks, all at once or as the text arrives. Pure; any thread."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from desktop.render.blocks import Block, Kind
from desktop.render.html import to_html

_KINDS: dict[str, Kind] = {
    "heading_open": "heading",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "blockquote_open": "quote",
    "table_open": "table",
    "hr": "rule",
}


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    """CommonMark with tables and strikethrough; raw HTML is text."""
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


@lru_cache(maxsize=128)
def blocks(source: str) -> tuple[Block, ...]:
    """The blocks of a whole text. Never raises. The most recent results are remembered."""
    return tuple(block for block, _ in _parse(_with_line_feeds(source)))


class GrowingText:
    """The blocks of a text that grows at its end: only what may still change is read again.

    What `feed` gives equals `blocks(text)`, but for reference links, whose definitions stand apart from them; a text
    that has some is to be read as a whole in the end."""

    def __init__(self) -> None:
        self._text = ""
        self._closed: list[Block] = []
        self._open_at = 0

    def feed(self, text: str) -> list[Block]:
        """The blocks of `text`. A text that does not go on from the last one is read from its start."""
        text = _with_line_feeds(text)
        if not text.startswith(self._text):
            self._closed, self._open_at = [], 0
        self._text = text
        found = _parse(text[self._open_at :])
        shown = [*self._closed, *(block for block, _ in found)]
        # A block is closed by the next one; and that one is sure to be one when its first line is whole: "----" is a
        # rule that ends a table, "----x" is the table's next row. A table is sure by its second line.
        first_open = max(
            (n for n, (block, at) in enumerate(found) if text.count("\n", self._open_at + at) >= _sure_after(block)),
            default=0,
        )
        self._closed += [block for block, _ in found[:first_open]]
        self._open_at += found[first_open][1] if found else 0
        return shown


def _parse(source: str) -> list[tuple[Block, int]]:
    """Each block, and the offset in `source` at which it begins."""
    tokens = _parser().parse(source)
    starts = _line_starts(source)
    found: list[tuple[Block, int]] = []
    first = 0
    for at, token in enumerate(tokens):
        if token.level == 0 and token.nesting <= 0:  # closes a block, or is one
            group = tokens[first : at + 1]
            line = group[0].map[0] if group[0].map else 0
            found.append((_block(group), starts[line]))
            first = at + 1
    return found


def _sure_after(block: Block) -> int:
    """How many lines must be whole until a block cannot turn into the end of the one before it."""
    return 2 if block.kind == "table" else 1


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _line_starts(source: str) -> list[int]:
    starts = [0]
    for line in source.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts


def _block(tokens: Sequence[Token]) -> Block:
    head = tokens[0]
    if head.type in ("fence", "code_block"):
        words = head.info.split()
        return Block("code", code=head.content.removesuffix("\n"), language=words[0] if words else "")
    kind = _KINDS.get(head.type, "text")
    return Block(kind, html="" if kind == "rule" else to_html(tokens))

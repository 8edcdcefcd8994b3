"""Markdown → blocks, all at once or as the text arrives. Pure; any thread."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

from desktop.render.blocks import Block, Kind
from desktop.render.code_in_lists import LISTS, split_list_at_code
from desktop.render.formula_syntax import formula_rules
from desktop.render.long_text import PIECE, split_block, split_point
from desktop.render.table_syntax import table_bars

_KINDS: dict[str, Kind] = {
    "heading_open": "heading",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "blockquote_open": "quote",
    "table_open": "table",
    "hr": "rule",
    "footnote_block_open": "notes",
}


class _Markdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:
        """Pictures may lie on this machine; where links may lead is decided when they are written."""
        return super().validateLink(url) or url[:8].lower() == "file:///"


@lru_cache(maxsize=2)
def _parser(*, notes: bool) -> MarkdownIt:
    """CommonMark with tables, strikethrough and formulas (`$x$`, `$$x$$`, `\\(x\\)`, `\\[x\\]`), and with footnotes
    where the whole text is known; raw HTML is text."""
    parser = _Markdown("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.use(formula_rules)
    parser.use(table_bars)
    if notes:
        parser.use(footnote_plugin, inline=False)
    return parser


class _Cache:
    """The texts that were read last, up to a number of letters. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read: OrderedDict[str, tuple[Block, ...]] = OrderedDict()
        self._n_letters = 0

    def get(self, source: str) -> tuple[Block, ...] | None:
        with self._lock:
            if source in self._read:
                self._read.move_to_end(source)
            return self._read.get(source)

    def put(self, source: str, read: tuple[Block, ...]) -> None:
        with self._lock:
            self._n_letters += len(source) if source not in self._read else 0
            self._read[source] = read
            while len(self._read) > KEPT or (self._n_letters > KEPT_LETTERS and len(self._read) > 1):
                self._n_letters -= len(self._read.popitem(last=False)[0])


KEPT, KEPT_LETTERS = 128, 1_000_000
OPEN = 2 * PIECE
"""Letters of one paragraph, list or quote that are read again at each change."""

_cache = _Cache()


def blocks(source: str) -> tuple[Block, ...]:
    """The blocks of a whole text. Never raises. The most recent results are remembered."""
    known = _cache.get(source)
    if known is None:
        known = tuple(block for block, _ in _parse(_with_line_feeds(source), notes=True))
        _cache.put(source, known)
    return known


def cached_blocks(source: str) -> tuple[Block, ...] | None:
    """What `blocks` gave for it, if that is remembered."""
    return _cache.get(source)


def needs_full_parse(text: str) -> bool:
    """Whether a text may hold what only the whole of it can tell: links and notes that are defined elsewhere, and
    formulas over several lines."""
    return any(mark in text for mark in ("]:", "$$", "\\["))


class IncrementalMarkdown:
    """The blocks of a text that grows at its end: only what may still change is read again.

    What `feed` gives equals `blocks(text)`, but where it `needs_full_parse`; then it is to be read again in the end.
    Of a paragraph, list or quote longer than `OPEN`, the end is read by itself: `was_cut`."""

    def __init__(self) -> None:
        self.was_cut = False
        self._glue: str | None = None
        self._head = ""
        """The first lines of a table whose first rows were cut."""
        self._text = ""
        self._closed: list[Block] = []
        self._open_at = 0

    def feed(self, text: str) -> list[Block]:
        """The blocks of `text`. A text that does not go on from the last one is read from its start."""
        text = _with_line_feeds(text)
        if not text.startswith(self._text):
            self._closed, self._open_at, self._glue, self._head = [], 0, None, ""
        self._text = text
        while len(text) - self._open_at > OPEN and self._cut():
            pass
        found = self._parsed(text[self._open_at :])
        shown = [*self._closed, *(block for block, _ in found)]
        # A block is closed by the next one; and that one is sure to be one when its first line is whole: "----" is a
        # rule that ends a table, "----x" is the table's next row. A table is sure by its second line.
        first_open = max(
            (
                n
                for n, (block, at) in enumerate(found)
                if (n == 0 or found[n - 1][1] != at)  # a list that was cut is one to be read again
                and text.count("\n", self._open_at + at) >= _sure_after(block)
            ),
            default=0,
        )
        self._closed += [block for block, _ in found[:first_open]]
        self._open_at += found[first_open][1] if found else 0
        if first_open:
            self._glue, self._head = None, ""
        return shown

    def _cut(self) -> bool:
        """Closes the first letters of what is open, if it is one long block of words; True where it did."""
        open_text = self._text[self._open_at :]
        end, between = split_point(open_text, OPEN)
        found = self._parsed(open_text[:end])
        if len({at for _, at in found}) != 1 or found[0][0].kind == "code":
            return False
        is_table = found[0][0].kind == "table"
        if is_table and between != "\n":
            return False
        if is_table and not self._head:
            self._head = "\n".join(open_text.split("\n", 2)[:2]) + "\n"
        self._closed += [block for block, _ in found]
        self._open_at += end + len(between)
        self._glue, self.was_cut = between, True
        return True

    def _parsed(self, source: str) -> list[tuple[Block, int]]:
        """The blocks of what is open. The first goes on what was cut."""
        found = _parse(self._head + source, without_head=bool(self._head))
        found = [(block, max(0, at - len(self._head))) for block, at in found]
        if self._glue is not None and found and found[0][0].kind in ("text", "table"):
            found[0] = replace(found[0][0], joiner=self._glue), found[0][1]
        return found


def _parse(source: str, *, notes: bool = False, without_head: bool = False) -> list[tuple[Block, int]]:
    """Each block, and the offset in `source` at which it begins. `without_head`: it begins with a table, of which only
    the rows are wanted."""
    tokens = _parser(notes=notes).parse(source)
    if without_head and tokens and tokens[0].type == "table_open":
        end = next(at for at, token in enumerate(tokens) if token.type == "thead_close")
        tokens = [tokens[0], *tokens[end + 1 :]]
    starts = _line_starts(source)
    found: list[tuple[Block, int]] = []
    first = depth = 0
    for at, token in enumerate(tokens):
        depth += token.nesting
        if depth == 0:  # closes a block, or is one
            group = tokens[first : at + 1]
            line = group[0].map[0] if group[0].map else len(starts) - 1
            kind = _KINDS.get(group[0].type, "text")
            parts = split_list_at_code(group) if group[0].type in LISTS else (group,)
            found += [(block, starts[line]) for part in parts for block in _blocks(part, kind)]
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


def _blocks(tokens: Sequence[Token], kind: Kind) -> Iterator[Block]:
    head = tokens[0]
    if head.type in ("fence", "code_block"):
        words = head.info.split()
        yield Block("code", code=head.content.removesuffix("\n"), language=words[0] if words else "")
    else:
        yield from split_block(tokens, kind)

"""Parses Markdown into blocks: a complete text at once, or a streaming text incrementally. All functions may be called
on any thread."""

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
from desktop.render.code_highlighting import code_html
from desktop.render.code_in_lists import LIST_OPENINGS, split_list_at_code
from desktop.render.formula_rendering import formula
from desktop.render.formula_syntax import formula_rules
from desktop.render.long_text import PIECE_LENGTH, excerpt, split_block, split_point
from desktop.render.table_syntax import table_rules

_KINDS: dict[str, Kind] = {
    "heading_open": "heading",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "blockquote_open": "quote",
    "table_open": "table",
    "hr": "rule",
    "footnote_block_open": "footnotes",
}


class _Markdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:
        """Accepts file URLs, too. Which links and images are used is decided later, when the HTML is written."""
        return super().validateLink(url) or url[:8].lower() == "file:///"


@lru_cache(maxsize=2)
def _parser(*, footnotes: bool) -> MarkdownIt:
    """A CommonMark parser with tables, strikethrough and formulas. It shows raw HTML as text.

    `footnotes` enables footnotes, which can only be parsed in a complete text."""
    parser = _Markdown("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.use(formula_rules)
    parser.use(table_rules)
    if footnotes:
        parser.use(footnote_plugin, inline=False)
    return parser


class _Cache:
    """A cache of the blocks of the most recently used texts, limited in number and in characters. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parsed_texts: OrderedDict[str, tuple[Block, ...]] = OrderedDict()
        self._n_characters = 0

    def get(self, source: str) -> tuple[Block, ...] | None:
        with self._lock:
            if source in self._parsed_texts:
                self._parsed_texts.move_to_end(source)
            return self._parsed_texts.get(source)

    def put(self, source: str, parsed: tuple[Block, ...]) -> None:
        with self._lock:
            self._n_characters += len(source) if source not in self._parsed_texts else 0
            self._parsed_texts[source] = parsed
            while self._is_over_limit():
                self._n_characters -= len(self._parsed_texts.popitem(last=False)[0])

    def _is_over_limit(self) -> bool:
        is_large = self._n_characters > MAX_CACHED_CHARACTERS and len(self._parsed_texts) > 1
        return is_large or len(self._parsed_texts) > MAX_CACHED


MAX_CACHED, MAX_CACHED_CHARACTERS = 128, 1_000_000
MAX_OPEN_LENGTH = 2 * PIECE_LENGTH
"""A streaming paragraph, list or quote with more characters is split, because it is parsed again with each change."""
MAX_PRERENDERED = 12
"""At most this many messages are prerendered: as many as fit into a tall window."""

_cache = _Cache()


def blocks(source: str) -> tuple[Block, ...]:
    """The blocks of a complete text. The result is cached. Never raises."""
    known = _cache.get(source)
    if known is None:
        known = tuple(block for block, _ in _parse(_with_line_feeds(source), footnotes=True))
        _cache.put(source, known)
    return known


def prerender(texts: Sequence[str]) -> None:
    """Fills the caches of blocks, highlighted code and formulas for the last of these texts, so that a chat with them
    opens quickly."""
    for text in texts[-MAX_PRERENDERED:]:
        for block in blocks(excerpt(text)):
            if block.kind == "code":
                code_html(block.code, block.language)
            for image in block.inline_images:
                if image.kind == "formula":
                    formula(image.source, display=image.display)


def cached_blocks(source: str) -> tuple[Block, ...] | None:
    """The result of `blocks` if it is cached, otherwise None."""
    return _cache.get(source)


def needs_full_parse(text: str) -> bool:
    """Whether incremental parsing of a text may be wrong, because the text may contain link definitions, footnotes or
    formulas of several lines. Their meaning depends on later text."""
    return any(mark in text for mark in ("]:", "$$", "\\["))


class IncrementalMarkdown:
    """Parses a streaming text incrementally: only the part whose blocks may still change is parsed again.

    The result of `feed` equals `blocks(text)`, unless `needs_full_parse(text)`; such a text must be parsed again when
    it is complete. A paragraph, list or quote longer than `MAX_OPEN_LENGTH` is split and its rest is parsed separately;
    then `was_split` is True."""

    def __init__(self) -> None:
        self.was_split = False
        self._joiner: str | None = None
        self._table_head = ""
        """The header lines of a long table whose first rows were split off."""
        self._text = ""
        self._closed: list[Block] = []
        """Blocks that cannot change any more."""
        self._open_from = 0
        """The offset of the first block that may still change."""

    def feed(self, text: str) -> list[Block]:
        """The blocks of `text`. If `text` does not continue the text of the last call, it is parsed from its start."""
        text = _with_line_feeds(text)
        if not text.startswith(self._text):
            self._closed, self._open_from, self._joiner, self._table_head = [], 0, None, ""
        self._text = text
        while len(text) - self._open_from > MAX_OPEN_LENGTH and self._split_open():
            pass
        found = self._parse_open(text[self._open_from :])
        shown = [*self._closed, *(block for block, _ in found)]
        # A block can no longer change once the first line of the next block is complete. After a table, "----" is a
        # rule that ends it, but "----x" is another row. A table is only recognized at its second line.
        first_open = max(
            (
                n
                for n, (block, at) in enumerate(found)
                # all pieces of one list have the same offset, so they are parsed again together
                if (n == 0 or found[n - 1][1] != at)
                and text.count("\n", self._open_from + at) >= _n_certain_lines(block)
            ),
            default=0,
        )
        self._closed += [block for block, _ in found[:first_open]]
        self._open_from += found[first_open][1] if found else 0
        if first_open:
            self._joiner, self._table_head = None, ""
        return shown

    def _split_open(self) -> bool:
        """If the open text is one long block, splits off its first part, which can then no longer change. Returns True
        if it was split."""
        open_text = self._text[self._open_from :]
        end, separator = split_point(open_text, MAX_OPEN_LENGTH)
        found = self._parse_open(open_text[:end])
        if len({at for _, at in found}) != 1 or found[0][0].kind == "code":
            return False
        is_table = found[0][0].kind == "table"
        if is_table and separator != "\n":
            return False
        if is_table and not self._table_head:
            self._table_head = "\n".join(open_text.split("\n", 2)[:2]) + "\n"
        self._closed += [block for block, _ in found]
        self._open_from += end + len(separator)
        self._joiner, self.was_split = separator, True
        return True

    def _parse_open(self, source: str) -> list[tuple[Block, int]]:
        """The blocks of open text, each with its offset in `source`. The first one may continue a block that was
        split."""
        found = _parse(self._table_head + source, without_head=bool(self._table_head))
        found = [(block, max(0, at - len(self._table_head))) for block, at in found]
        if self._joiner is not None and found and found[0][0].kind in ("text", "table"):
            found[0] = replace(found[0][0], joiner=self._joiner), found[0][1]
        return found


def _parse(source: str, *, footnotes: bool = False, without_head: bool = False) -> list[tuple[Block, int]]:
    """Parses a text into blocks, each with its offset in `source`. `without_head` omits the header of a table at the
    start."""
    tokens = _parser(footnotes=footnotes).parse(source)
    if without_head and tokens and tokens[0].type == "table_open":
        end = next(at for at, token in enumerate(tokens) if token.type == "thead_close")
        tokens = [tokens[0], *tokens[end + 1 :]]
    starts = _line_starts(source)
    found: list[tuple[Block, int]] = []
    first = depth = 0
    for at, token in enumerate(tokens):
        depth += token.nesting
        if depth == 0:  # this token ends a block
            group = tokens[first : at + 1]
            line = group[0].map[0] if group[0].map else len(starts) - 1
            kind = _KINDS.get(group[0].type, "text")
            parts = split_list_at_code(group) if group[0].type in LIST_OPENINGS else (group,)
            found += [(block, starts[line]) for part in parts for block in _blocks(part, kind)]
            first = at + 1
    return found


def _n_certain_lines(block: Block) -> int:
    """The number of complete lines that a block must have before it is certain that the block is not part of the
    previous one."""
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

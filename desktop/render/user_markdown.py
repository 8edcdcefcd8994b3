"""Parses user messages into blocks. Only code, tables, formulas, links and emphasis are formatted; all other text is
shown as typed. All functions may be called on any thread."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from desktop.render.blocks import Block
from desktop.render.formula_syntax import formula_rules
from desktop.render.html import to_html
from desktop.render.long_text import split_inline
from desktop.render.markdown import blocks
from desktop.render.table_syntax import is_delimiter_row, n_columns_of

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})([^`]*)")
_MARKS = ("em_open", "em_close", "strong_open", "strong_close", "s_open", "s_close")


@lru_cache(maxsize=64)
def user_message_blocks(text: str) -> tuple[Block, ...]:
    """The blocks of a user message. Cached. Never raises.

    Line breaks and spaces are kept. So are characters of Markdown syntax that are probably literal: backslashes,
    asterisks within words, list numbers, and the characters that start headings and quotes."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    found: list[Block] = []
    text_lines: list[str] = []
    at = 0
    while at < len(lines):
        end, read = _code_or_table(lines, at)
        if not read:
            text_lines += lines[at : max(end, at + 1)]
            at = max(end, at + 1)
            continue
        found += _text_blocks(text_lines, at_end=False, at_start=not found)
        text_lines = []
        found += read
        at = end
    found += _text_blocks(text_lines, at_end=True, at_start=not found)
    return tuple(found)


def _code_or_table(lines: Sequence[str], at: int) -> tuple[int, Sequence[Block]]:
    """Reads the code block or table that starts at line `at`. Returns the number of the line after the code block or
    table, and its blocks. Returns no blocks if neither starts at this line."""
    opening = _FENCE.fullmatch(lines[at]) if lines[at].lstrip(" ")[:3] in ("```", "~~~") else None
    if opening is not None:
        fence, info = opening[1], opening[2].split()
        end = next((n for n in range(at + 1, len(lines)) if _closes(lines[n], fence)), len(lines))
        code = "\n".join(lines[at + 1 : end])
        return end + 1, [Block("code", code=code, language=info[0] if info else "")]
    if "|" not in lines[at] or at + 1 == len(lines) or not is_delimiter_row(lines[at + 1]):
        return at, ()
    if n_columns_of(lines[at]) != n_columns_of(lines[at + 1]):
        return at, ()
    end = next((n for n in range(at + 2, len(lines)) if "|" not in lines[n]), len(lines))
    read = blocks("\n".join(lines[at:end]))
    # If these lines are not a table, they are skipped together, so that none of them is examined again.
    return (end, read) if {block.kind for block in read} == {"table"} else (end, ())


def _closes(line: str, fence: str) -> bool:
    text = line.strip(" \t")
    return len(text) >= len(fence) and not text.strip(fence[0])


def _text_blocks(lines: Sequence[str], *, at_start: bool, at_end: bool) -> Iterator[Block]:
    """The blocks of the text between two code blocks or tables. A blank line next to a code block or table is dropped,
    since blocks have a gap between them."""
    first = 0 if at_start or not lines or lines[0].strip() else 1
    last = len(lines) - (0 if at_end or len(lines) <= first or lines[-1].strip() else 1)
    if last <= first:
        return
    (inline,) = _parser().parseInline("\n".join(lines[first:last]))
    for children, joiner in split_inline(_literal(inline.children or [])) or [([], None)]:
        html, inline_images = to_html([Token("inline", "", 0, children=children)])
        yield Block(
            "text", html=f'<p style="white-space: pre-wrap">{html}</p>', inline_images=inline_images, joiner=joiner
        )


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("zero").enable(["backticks", "emphasis", "balance_pairs", "strikethrough", "link"])
    parser.enable("fragments_join", ignoreInvalid=True)
    parser.use(formula_rules)
    return parser


def _literal(tokens: Sequence[Token]) -> list[Token]:
    """Turns pairs of emphasis marks into text if they are probably literal: `2*3*4`, `a**b`, `C:\\*`, `__init__`."""
    open_marks: list[int] = []
    literal: set[int] = set()
    for at, token in enumerate(tokens):
        if token.type not in _MARKS:
            continue
        if token.nesting == 1:
            open_marks.append(at)
        elif open_marks:
            begin = open_marks.pop()
            if any(_touches_word(tokens, each) for each in (begin, at)) or token.markup[0] == "_":
                literal |= {begin, at}
    return [Token("text", "", 0, content=token.markup) if at in literal else token for at, token in enumerate(tokens)]


def _touches_word(tokens: Sequence[Token], at: int) -> bool:
    """Whether there is a word character directly outside an emphasis mark, or a backslash directly before or after the
    mark."""
    before = tokens[at - 1].content[-1:] if at and tokens[at - 1].type == "text" else ""
    after = tokens[at + 1].content[:1] if at + 1 < len(tokens) and tokens[at + 1].type == "text" else ""
    return "\\" in (before, after) or (before if tokens[at].nesting == 1 else after).isalnum()

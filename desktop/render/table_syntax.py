"""Rules for Markdown tables: a `|` separates no cells if it is inside a formula or after the last column of the header.
All functions may be called on any thread.

GFM separates cells at every `|` and drops surplus cells. Answers would lose text, because formulas such as `$|x|$` are
common in them."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_core import StateCore

from desktop.render.formula_syntax import formula_spans

MAX_COLUMNS = 100
MAX_EMPTY_CELLS = 1_000
"""The limit for the number of empty cells that the parser adds to rows with too few cells. This number is estimated
from the count of `|`."""
_ENV_KEY = "table_syntax.rows"
_PLACEHOLDER = "\ufdd0"
"""A noncharacter that replaces each `|` that separates no cells, while the table is parsed."""

_BLOCK_START = re.compile(r"[ \t]*(?:>[ \t]*)*(?:#|```|~~~|[-*+][ \t]|\d+[.)]| {4}|\t)")
"""Matches a line that may end a table. If such a line is a row of the table instead, the surplus cells of the rows
after it are lost."""

_INDENTED = re.compile(r" {0,3}\t| {4}")
_BAR = re.compile(r"(?<!\\)\|")


def table_rules(parser: MarkdownIt) -> None:
    """Adds the rules to a parser. Source offsets and line numbers stay the same."""
    parser.core.ruler.before("block", "hide_bars", _hide_bars)
    parser.core.ruler.after("block", "show_bars", _restore_bars)
    parser.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})


def _table(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """The GFM rule for tables, with limits. A table with too many columns or too many empty cells is shown as text."""
    if start_line + 1 >= end_line:
        return False
    delimiters = state.src[state.bMarks[start_line + 1] : state.eMarks[start_line + 1]]
    if not is_delimiter_row(delimiters):
        return False
    n_columns, end = delimiters.count("|"), _end_of_rows(state, start_line, end_line)
    n_bars = state.src.count("|", state.bMarks[start_line], state.eMarks[end - 1])
    too_many = n_columns > MAX_COLUMNS + 1 or n_columns * (end - start_line) > 4 * n_bars + MAX_EMPTY_CELLS
    return not too_many and table(state, start_line, end_line, silent)


def _end_of_rows(state: StateBlock, line: int, end_line: int) -> int:
    """The line number of the next blank line. The result is cached in `env`, so that it is searched for only once per
    table."""
    known = state.env.get(_ENV_KEY)
    if known is not None and known[0] is state.src and known[1] == end_line and known[2] <= line < known[3]:
        return int(known[3])
    end = line + 1
    while end < end_line and not state.isEmpty(end):
        end += 1
    state.env[_ENV_KEY] = (state.src, end_line, line, end)
    return end


def _hide_bars(state: StateCore) -> None:
    if "|" not in state.src or "-" not in state.src or _PLACEHOLDER in state.src:
        return
    lines = state.src.split("\n")
    columns = 0
    for number, line in enumerate(lines):
        if not line.strip(" \t>") or _BLOCK_START.match(line):
            columns = 0
        before_delimiters = number + 1 < len(lines) and "|" in line and is_delimiter_row(lines[number + 1])
        if columns and not before_delimiters:
            lines[number] = _with_bars_hidden(line, columns)
        elif not columns and before_delimiters and not _INDENTED.match(line):
            hidden = _with_bars_hidden(line, 0)
            columns = n_columns_of(lines[number + 1])
            if columns == n_columns_of(hidden):
                lines[number] = hidden
            else:
                columns = 0
    state.src = "\n".join(lines)


def _restore_bars(state: StateCore) -> None:
    for token in state.tokens:
        if _PLACEHOLDER in token.content:
            token.content = token.content.replace(_PLACEHOLDER, "|")
        if _PLACEHOLDER in token.info:
            token.info = token.info.replace(_PLACEHOLDER, "|")


def _with_bars_hidden(line: str, columns: int) -> str:
    """The row with a placeholder for every `|` that separates no cells. `columns` is the number of columns in the
    header; 0 means that this row is the header."""
    parts: list[str] = []
    done = 0
    for start, end in formula_spans(line) if "$" in line or "\\(" in line else ():
        parts += [line[done:start], line[start:end].replace("|", _PLACEHOLDER)]
        done = end
    line = "".join((*parts, line[done:]))
    bars = [found.start() for found in _BAR.finditer(line)]
    text = line.strip(" \t>")
    surplus = n_columns_of(line) - columns if columns else 0
    if surplus > 0:
        closing = 1 if text.endswith("|") and not text.endswith("\\|") else 0
        letters = list(line)
        for at in bars[len(bars) - closing - surplus : len(bars) - closing]:
            letters[at] = _PLACEHOLDER
        line = "".join(letters)
    return line


def is_delimiter_row(line: str) -> bool:
    """Whether a line can be the second line of a table, such as `|--|--|`. Uses no regular expression, since a line may
    be very long."""
    return "-" in line and not line.strip(" \t>|:-")


def n_columns_of(line: str) -> int:
    """The number of cells in a row."""
    text = line.strip(" \t>")
    n_bars = len(_BAR.findall(text))
    closing = 1 if len(text) > 1 and text.endswith("|") and not text.endswith("\\|") else 0
    return n_bars + 1 - (1 if text.startswith("|") else 0) - closing

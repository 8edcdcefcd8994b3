"""Bars that do not divide the cells of a table: those in formulas, and those beyond the header's columns. Pure.

GFM lets every `|` divide a row and drops surplus cells, which loses text of an answer: `$|x|$` is common in one."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_core import StateCore

from desktop.render.formula_syntax import formula_spans

COLUMNS = 100
FREE_CELLS = 1_000
"""Empty cells that a table may have beside those that were written."""
_ROWS = "table_bars.rows"
_STAND_IN = "\ufdd0"
"""A code point that is no character: it takes the place of such a bar while the cells are divided."""

_BEGINS_BLOCK = re.compile(r"[ \t]*(?:>[ \t]*)*(?:#|```|~~~|[-*+][ \t]|\d+[.)]| {4}|\t)")
"""A line that may end a table; if it does not, only later rows of that table lose their surplus cells."""

_INDENTED = re.compile(r" {0,3}\t| {4}")
_BAR = re.compile(r"(?<!\\)\|")


def table_bars(parser: MarkdownIt) -> None:
    """Adds the rule. Offsets and lines of the source stay as they are."""
    parser.core.ruler.before("block", "hide_bars", _hide)
    parser.core.ruler.after("block", "show_bars", _show)
    parser.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})


def _table(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """The usual rule, for tables that can be read and drawn: one with very many columns, or with far more cells than
    were written, stays as it was written."""
    if start_line + 1 >= end_line:
        return False
    delimiters = state.src[state.bMarks[start_line + 1] : state.eMarks[start_line + 1]]
    if not is_delimiter_row(delimiters):
        return False
    n_columns, end = delimiters.count("|"), _end_of_rows(state, start_line, end_line)
    n_bars = state.src.count("|", state.bMarks[start_line], state.eMarks[end - 1])
    too_many = n_columns > COLUMNS + 1 or n_columns * (end - start_line) > 4 * n_bars + FREE_CELLS
    return not too_many and table(state, start_line, end_line, silent)


def _end_of_rows(state: StateBlock, line: int, end_line: int) -> int:
    """The next blank line. It is remembered, so that it is looked for once."""
    known = state.env.get(_ROWS)
    if known is not None and known[0] is state.src and known[1] == end_line and known[2] <= line < known[3]:
        return int(known[3])
    end = line + 1
    while end < end_line and not state.isEmpty(end):
        end += 1
    state.env[_ROWS] = (state.src, end_line, line, end)
    return end


def _hide(state: StateCore) -> None:
    if "|" not in state.src or "-" not in state.src or _STAND_IN in state.src:
        return
    lines = state.src.split("\n")
    columns = 0
    for number, line in enumerate(lines):
        if not line.strip(" \t>") or _BEGINS_BLOCK.match(line):
            columns = 0
        before_delimiters = number + 1 < len(lines) and "|" in line and is_delimiter_row(lines[number + 1])
        if columns and not before_delimiters:
            lines[number] = _with_hidden(line, columns)
        elif not columns and before_delimiters and not _INDENTED.match(line):
            hidden = _with_hidden(line, 0)
            columns = n_columns_of(lines[number + 1])
            if columns == n_columns_of(hidden):
                lines[number] = hidden
            else:
                columns = 0
    state.src = "\n".join(lines)


def _show(state: StateCore) -> None:
    for token in state.tokens:
        if _STAND_IN in token.content:
            token.content = token.content.replace(_STAND_IN, "|")
        if _STAND_IN in token.info:
            token.info = token.info.replace(_STAND_IN, "|")


def _with_hidden(line: str, columns: int) -> str:
    """The row without the bars that do not divide it. `columns`: those of the header; 0 where this is the header."""
    parts: list[str] = []
    done = 0
    for start, end in formula_spans(line) if "$" in line or "\\(" in line else ():
        parts += [line[done:start], line[start:end].replace("|", _STAND_IN)]
        done = end
    line = "".join((*parts, line[done:]))
    bars = [found.start() for found in _BAR.finditer(line)]
    text = line.strip(" \t>")
    surplus = n_columns_of(line) - columns if columns else 0
    if surplus > 0:
        closing = 1 if text.endswith("|") and not text.endswith("\\|") else 0
        letters = list(line)
        for at in bars[len(bars) - closing - surplus : len(bars) - closing]:
            letters[at] = _STAND_IN
        line = "".join(letters)
    return line


def is_delimiter_row(line: str) -> bool:
    """Whether a line may be the second one of a table. Not a regular expression: a line may be very long."""
    return "-" in line and not line.strip(" \t>|:-")


def n_columns_of(line: str) -> int:
    """How many cells a row has."""
    text = line.strip(" \t>")
    n_bars = len(_BAR.findall(text))
    closing = 1 if len(text) > 1 and text.endswith("|") and not text.endswith("\\|") else 0
    return n_bars + 1 - (1 if text.startswith("|") else 0) - closing

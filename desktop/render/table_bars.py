"""Bars that do not divide the cells of a table: those in formulas, and those beyond the header's columns. Pure.

GFM lets every `|` divide a row and drops surplus cells, which loses text of an answer: `$|x|$` is common in one."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_core import StateCore

from desktop.render.formula_syntax import formula_spans

COLUMNS = 100
_STAND_IN = "\ufdd0"
"""A code point that is no character: it takes the place of such a bar while the cells are divided."""

_BEGINS_BLOCK = re.compile(r"[ \t]*(?:>[ \t]*)*(?:#|```|~~~|[-*+][ \t]|\d+[.)]| {4}|\t)")
"""A line that may end a table; if it does not, only later rows of that table lose their surplus cells."""

_INDENTED = re.compile(r" {0,3}\t| {4}")
_DELIMITERS = re.compile(r"[ \t>|:-]*-[ \t|:-]*")
_BAR = re.compile(r"(?<!\\)\|")


def table_bars(parser: MarkdownIt) -> None:
    """Adds the rule. Offsets and lines of the source stay as they are."""
    parser.core.ruler.before("block", "hide_bars", _hide)
    parser.core.ruler.after("block", "show_bars", _show)
    parser.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})


def _table(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """The usual rule, for tables that can be read and drawn: one with more columns stays as it was written."""
    n_bars = state.src.count("|", state.bMarks[start_line], state.eMarks[start_line])
    return n_bars <= COLUMNS + 1 and table(state, start_line, end_line, silent)


def _hide(state: StateCore) -> None:
    if "|" not in state.src or "-" not in state.src or _STAND_IN in state.src:
        return
    lines = state.src.split("\n")
    columns = 0
    for number, line in enumerate(lines):
        if not line.strip(" \t>") or _BEGINS_BLOCK.match(line):
            columns = 0
        before_delimiters = number + 1 < len(lines) and "|" in line and _DELIMITERS.fullmatch(lines[number + 1])
        if columns and not before_delimiters:
            lines[number] = _with_hidden(line, columns)
        elif not columns and before_delimiters and not _INDENTED.match(line):
            hidden = _with_hidden(line, 0)
            columns = _n_columns(lines[number + 1])
            if columns == _n_columns(hidden):
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
    surplus = _n_columns(line) - columns if columns else 0
    if surplus > 0:
        closing = 1 if text.endswith("|") and not text.endswith("\\|") else 0
        letters = list(line)
        for at in bars[len(bars) - closing - surplus : len(bars) - closing]:
            letters[at] = _STAND_IN
        line = "".join(letters)
    return line


def _n_columns(line: str) -> int:
    text = line.strip(" \t>")
    n_bars = len(_BAR.findall(text))
    closing = 1 if len(text) > 1 and text.endswith("|") and not text.endswith("\\|") else 0
    return n_bars + 1 - (1 if text.startswith("|") else 0) - closing

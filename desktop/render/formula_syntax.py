"""Markdown rules for formulas: `$x$`, `$$x$$`, `\\(x\\)` and `\\[x\\]`. The rules take time linear in the length of the
text, and may be used on any thread.

The rules for `$` follow Pandoc's `tex_math_dollars`: no space after the opening `$` or before the closing `$`, and no
digit after the closing `$`. Further rules prevent prices (`US$5`) and shell variables (`$HOME/bin:$PATH`) from becoming
formulas: no digit before the opening `$`, and no Latin letter after the closing one. Ordinals such as `$n$th` are
allowed."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

_ORDINAL = re.compile(r"(?:st|nd|rd|th)(?![A-Za-z0-9])")
_MONEY = re.compile(r"\d[\d.,]*[,;]?\s+[A-Za-z]{2,}")
"""Matches an amount of money and a word after it, such as "10, or" in "$10, or R$ 12"."""
_ENV_KEY = "formula_syntax.last"

LastOffsets = dict[tuple[str, int], int]
"""Maps a closing delimiter and a limit to the delimiter's last offset before the limit. A lookup shows in O(1) that a
formula is not closed."""


def formula_rules(parser: MarkdownIt) -> None:
    """Adds the rules to a parser.

    They produce the tokens `math_inline`, `math_inline_double` (a display formula within a paragraph) and `math_block`.
    `markup` is the opening delimiter."""
    parser.inline.ruler.before("escape", "math_inline", _inline)
    parser.block.ruler.before("fence", "math_block", _block)


def formula_spans(line: str) -> list[tuple[int, int]]:
    """The start and end offsets of each formula in one line of text, including its delimiters."""
    found: list[tuple[int, int]] = []
    last: LastOffsets = {}
    at = 0
    while at < len(line):
        if line[at] not in "$\\":
            at += 1
            continue
        match = _match(line, at, len(line), last)
        if match is None:
            at += 2 if line[at] == "\\" else 1
        else:
            found.append((at, match[2]))
            at = match[2]
    return found


def _inline(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] not in "$\\":
        return False
    match = _match(state.src, state.pos, state.posMax, _last_offsets(state.env, state.src))
    if match is None:
        return False
    markup, content, end = match
    if not silent:
        token = state.push("math_inline_double" if markup in ("$$", "\\[") else "math_inline", "math", 0)
        token.content, token.markup = content, markup
    state.pos = end
    return True


def _block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """The rule for a formula that is alone on its lines.

    It must end in the list or quote in which it starts. A formula between `$$` must not contain a blank line."""
    begin = state.bMarks[start_line] + state.tShift[start_line]
    markup = state.src[begin : begin + 2]
    if markup not in ("$$", "\\[") or state.is_code_block(start_line):
        return False
    closing = "$$" if markup == "$$" else "\\]"
    if _find(state.src, closing, begin + 2, len(state.src), _last_offsets(state.env, state.src)) < 0:
        return False
    parts: list[str] = []
    for line in range(start_line, end_line):
        is_blank = state.isEmpty(line)
        if line > start_line and (markup == "$$" if is_blank else state.sCount[line] < state.blkIndent):
            return False
        first = begin + 2 if line == start_line else state.bMarks[line] + state.tShift[line]
        text = state.src[first : state.eMarks[line]]
        at = text.find(closing)
        if at >= 0 and text[at + 2 :].strip():
            return False
        parts.append(text if at < 0 else text[:at])
        if at >= 0:
            break
    else:
        return False
    content = "\n".join(parts)
    if not content.strip():
        return False
    if not silent:
        token = state.push("math_block", "math", 0)
        token.block = True
        token.content, token.markup, token.map = content, markup, [start_line, line + 1]
    state.line = line + 1
    return True


def _last_offsets(env: object, source: str) -> LastOffsets:
    if not isinstance(env, dict):
        return {}
    known = env.get(_ENV_KEY)
    if known is None or known[0] is not source:
        known = env[_ENV_KEY] = (source, {})
    last: LastOffsets = known[1]
    return last


def _find(source: str, delimiter: str, begin: int, limit: int, last: LastOffsets) -> int:
    """The offset of the next delimiter between `begin` and `limit`; -1 if there is none."""
    key = delimiter, limit
    if key not in last:
        last[key] = source.rfind(delimiter, 0, limit)
    return source.find(delimiter, begin, limit) if last[key] >= begin else -1


def _match(source: str, at: int, limit: int, last: LastOffsets) -> tuple[str, str, int] | None:
    """The formula that starts at the offset `at`: its opening delimiter, its LaTeX source and its end. Returns None if
    none starts there."""
    two = source[at : at + 2]
    if two in ("\\(", "\\["):
        end = _find(source, "\\)" if two == "\\(" else "\\]", at + 2, limit, last)
        content = source[at + 2 : end]
        return (two, content, end + 2) if end >= 0 and content.strip() else None
    if source[at] != "$" or (at and source[at - 1].isdigit()) or _is_escaped(source, at):
        return None
    return _dollars(source, at, limit, "$$" if two == "$$" else "$", last)


def _dollars(source: str, at: int, limit: int, delimiter: str, last: LastOffsets) -> tuple[str, str, int] | None:
    begin = at + len(delimiter)
    if delimiter == "$" and (begin >= limit or source[begin].isspace() or _MONEY.match(source, begin)):
        return None
    end = _find(source, delimiter, begin, limit, last)
    while end >= 0 and _is_escaped(source, end):
        end = _find(source, delimiter, end + 1, limit, last)
    after = end + len(delimiter)
    if end <= begin or source[after : after + 1].isdigit() or (delimiter == "$" and not _closes(source, end)):
        return None
    return delimiter, source[begin:end], after


def _closes(source: str, end: int) -> bool:
    """Whether the `$` at `end` can close a formula."""
    after = source[end + 1 : end + 2]
    is_letter = after == "_" or (after.isalpha() and after < "\u0250")
    return not source[end - 1].isspace() and (not is_letter or bool(_ORDINAL.match(source, end + 1)))


def _is_escaped(source: str, at: int) -> bool:
    n_backslashes = 0
    while at > n_backslashes and source[at - 1 - n_backslashes] == "\\":
        n_backslashes += 1
    return n_backslashes % 2 == 1

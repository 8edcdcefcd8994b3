"""Syntax highlighting: converts source code to HTML spans.

The classes of the spans are styled in `resources/styles/document.css`. The colours are in
`resources/styles/colours.json`."""

from __future__ import annotations

from functools import lru_cache
from html import escape

from pygments.lexer import Lexer  # type: ignore[import-untyped]
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]
from pygments.token import (  # type: ignore[import-untyped]
    Comment,
    Keyword,
    Literal,
    Name,
    Number,
    Operator,
    String,
    _TokenType,
)
from pygments.util import ClassNotFound  # type: ignore[import-untyped]

MAX_LENGTH = 16_000
"""Code with more characters is not highlighted, because lexing would take too long."""
TAIL_LENGTH = 1_200
"""After each change of streaming code, the end of the code is highlighted again: at least this many characters, and at
most twice as many. Highlighting them takes about 4 ms."""

_CLASSES: tuple[tuple[_TokenType, str], ...] = (
    (Comment, "c"),
    (String, "s"),
    (Number, "n"),
    (Literal, "s"),
    (Keyword, "k"),
    (Operator.Word, "k"),
    (Name.Function, "f"),
    (Name.Class, "f"),
    (Name.Tag, "k"),
    (Name.Attribute, "f"),
    (Name.Decorator, "f"),
    (Name.Builtin, "b"),
)


@lru_cache(maxsize=32)
def code_html(code: str, language: str) -> str:
    """The code as HTML in one `<pre>`, highlighted if the language is known. The result is cached. May be called on any
    thread."""
    lexer = _lexer(language) if len(code) <= MAX_LENGTH else None
    if lexer is None:
        return f"<pre>{escape(code)}</pre>"
    parts: list[str] = []
    for kind, text in lexer.get_tokens(code):
        name = _class(kind)
        parts.append(f'<span class="{name}">{escape(text)}</span>' if name else escape(text))
    return f"<pre>{''.join(parts)}</pre>"


def file_name(language: str) -> str:
    """A file name for code in this language, with the language's usual extension: `code.py`."""
    lexer = _lexer(language)
    pattern = next((each for each in lexer.filenames if each[:2] == "*."), "*.txt") if lexer is not None else "*.txt"
    return f"code{pattern[1:]}"


class IncrementalHighlighter:
    """Highlights streaming code. Code far above the end is not lexed again when code is added."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._settled = ""
        self._settled_html = ""

    def feed(self, code: str) -> str:
        """The HTML of all of `code`, in one `<pre>`. Fast if `code` continues the code of the last call."""
        if len(code) > MAX_LENGTH:
            return code_html(code, self.language)
        if not code.startswith(self._settled):
            self._settled = self._settled_html = ""
        tail = code[len(self._settled) :]
        if len(tail) > 2 * TAIL_LENGTH:
            cut = len(self._settled) + _split_offset(tail)
            self._settled_html += _without_pre(code_html(code[len(self._settled) : cut], self.language))
            self._settled = code[:cut]
            tail = code[cut:]
        return f"<pre>{self._settled_html}{_without_pre(code_html(tail, self.language))}</pre>"


@lru_cache(maxsize=16)
def _lexer(language: str) -> Lexer | None:
    if not language:
        return None
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


@lru_cache(maxsize=256)
def _class(kind: _TokenType) -> str:
    return next((name for parent, name in _CLASSES if kind in parent), "")


def _split_offset(tail: str) -> int:
    """The offset at which to split `tail` so that lexing can start again there: before a line that is not indented,
    else before any line, else at `TAIL_LENGTH`."""
    best = 0
    at = tail.find("\n") + 1
    while 0 < at <= TAIL_LENGTH:
        if not best or not tail[at : at + 1].isspace():
            best = at
        at = tail.find("\n", at) + 1
    return best or TAIL_LENGTH


def _without_pre(html: str) -> str:
    return html.removeprefix("<pre>").removesuffix("</pre>")

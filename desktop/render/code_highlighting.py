"""Syntax highlighting: source code to HTML spans whose classes are styled in `resources/styles/document.css`."""

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
"""Characters of code; longer code is not highlighted, since lexing takes too long."""
TAIL_LENGTH = 1_200
"""Characters of streaming code that are highlighted again with each change; takes about 4 ms."""

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
    """The code as one `<pre>`, highlighted if the language is known. Cached. Any thread."""
    lexer = _lexer(language) if len(code) <= MAX_LENGTH else None
    if lexer is None:
        return f"<pre>{escape(code)}</pre>"
    parts: list[str] = []
    for kind, text in lexer.get_tokens(code):
        name = _class(kind)
        parts.append(f'<span class="{name}">{escape(text)}</span>' if name else escape(text))
    return f"<pre>{''.join(parts)}</pre>"


def file_name(language: str) -> str:
    """A file name with the usual extension of the language."""
    lexer = _lexer(language)
    pattern = next((each for each in lexer.filenames if each[:2] == "*."), "*.txt") if lexer is not None else "*.txt"
    return f"code{pattern[1:]}"


class IncrementalHighlighter:
    """Highlights code that streams in. Code far above the end keeps its highlighting and is not lexed again."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._settled = ""
        self._settled_html = ""

    def feed(self, code: str) -> str:
        """All of `code` as one `<pre>`. Fast if `code` starts with the code of the last call."""
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
    """An offset at which lexing can start: before a line that is not indented, else before any line, else anywhere."""
    best = 0
    at = tail.find("\n") + 1
    while 0 < at <= TAIL_LENGTH:
        if not best or not tail[at : at + 1].isspace():
            best = at
        at = tail.find("\n", at) + 1
    return best or TAIL_LENGTH


def _without_pre(html: str) -> str:
    return html.removeprefix("<pre>").removesuffix("</pre>")

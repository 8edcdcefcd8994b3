"""Source code → coloured spans. The classes are named in `resources/styles/document.css`."""

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

LIMIT = 16_000
"""Longer pieces stay without colour: nobody reads them here, and lexing would take long."""

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
    """The code as one `<pre>`, coloured where the language is known. Any thread; recent results are remembered."""
    lexer = _lexer(language) if len(code) <= LIMIT else None
    if lexer is None:
        return f"<pre>{escape(code)}</pre>"
    parts: list[str] = []
    for kind, text in lexer.get_tokens(code):
        name = _class(kind)
        parts.append(f'<span class="{name}">{escape(text)}</span>' if name else escape(text))
    return f"<pre>{''.join(parts)}</pre>"


def file_name(language: str) -> str:
    """What a file of this code is best called."""
    lexer = _lexer(language)
    pattern = next((each for each in lexer.filenames if each[:2] == "*."), "*.txt") if lexer is not None else "*.txt"
    return f"code{pattern[1:]}"


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

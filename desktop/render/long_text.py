"""Shortens long messages to excerpts, and splits long blocks into pieces. The layout of one piece takes about 10 ms.
Qt-free."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from desktop.render.blocks import Block, Kind
from desktop.render.html import to_html

EXCERPT_LENGTH = 60_000
"""This many characters of an answer are shown at first. "Show more" adds the same number again."""
PIECE_LENGTH = 3_000
"""A block with more characters of text is split into pieces of about this length."""
ITEMS_PER_PIECE = 40
CELLS_PER_PIECE = 300
MAX_UNSPLIT_LENGTH = 24_000
"""A part of a list or quote that cannot be split further is shown as plain text if it has more characters than this."""
_JOINING_CHARACTERS = frozenset("\u200c\u200d\ufe0e\ufe0f")


def excerpt(text: str, max_length: int = EXCERPT_LENGTH) -> str:
    """The text, or its beginning of at most `max_length` characters, which ends after a line or word if possible."""
    return text if len(text) <= max_length else text[: split_point(text, max_length)[0]]


def split_block(tokens: Sequence[Token], kind: Kind) -> Iterator[Block]:
    """Converts the tokens of one block to a `Block`, or to several pieces if the block is long."""
    size = sum(len(token.content) for token in tokens)
    head = tokens[0]
    if kind == "table":
        yield from _split_table(tokens)
    elif head.type in ("paragraph_open", "heading_open") and len(tokens) == 3 and size > PIECE_LENGTH:
        for children, joiner in split_inline(tokens[1].children or []):
            inline = Token("inline", "", 0, children=children, content=tokens[1].content[:1])
            yield _block([head, inline, tokens[2]], kind, joiner)
    elif kind == "list" and (size > PIECE_LENGTH or len(tokens) > 6 * ITEMS_PER_PIECE):
        for number, part in enumerate(_split_list(tokens)):
            yield from _bounded(part, kind, "\n" if number else None)
    elif size > PIECE_LENGTH:
        for number, part in enumerate(_split_children(tokens)):
            yield from _bounded(part, kind, "\n\n" if number else None)
    else:
        yield _block(tokens, kind, None)


def split_inline(children: Sequence[Token], max_length: int = PIECE_LENGTH) -> list[tuple[list[Token], str | None]]:
    """Splits inline tokens into pieces. Each piece is returned with the text between the previous piece and this one.
    For the first piece, this text is None."""
    known = [
        _as_text(token) if len(token.content) > max_length and token.type != "text" else token for token in children
    ]
    found = _split_tokens(known, max_length)
    if any(sum(len(token.content) for token in piece) > 2 * max_length for piece, _ in found):
        plain = "".join(_as_text(token).content for token in children)
        # one format, such as bold, spans the whole text
        found = _split_tokens([Token("text", "", 0, content=plain)], max_length)
    return found


def _as_text(token: Token) -> Token:
    """An inline token as a token of plain text. A formula becomes its source."""
    content = "\n" if token.type in ("softbreak", "hardbreak") else token.content
    if token.type in ("math_inline", "math_inline_double"):
        content = token.markup + content + {"\\(": "\\)", "\\[": "\\]"}.get(token.markup, token.markup)
    return Token("text", "", 0, content=content)


def _split_tokens(children: Sequence[Token], max_length: int) -> list[tuple[list[Token], str | None]]:
    found: list[tuple[list[Token], str | None]] = []
    piece: list[Token] = []
    joiner: str | None = None
    length = depth = 0
    for token in children:
        depth += token.nesting
        is_break = token.type in ("softbreak", "hardbreak")
        if depth == 0 and length >= max_length // 2 and is_break:
            found.append((piece, joiner))
            piece, joiner, length = [], "\n", 0
            continue
        content = token.content
        while token.type == "text" and depth == 0 and length + len(content) > max_length:
            end, separator = split_point(content, max(1, max_length - length))
            found.append(([*piece, Token("text", "", 0, content=content[:end])], joiner))
            content = content[end + len(separator) :]
            piece, joiner, length = [], separator, 0
        piece.append(token if content is token.content else Token("text", "", 0, content=content))
        length += len(content) + 1
        if depth == 0 and length > max_length and token.type != "text":
            found.append((piece, joiner))
            piece, joiner, length = [], "", 0
    if piece:
        found.append((piece, joiner))
    return found


def split_point(text: str, max_length: int) -> tuple[int, str]:
    """The offset at which to split a text, at most `max_length`, and the line break or space at this offset ("" if the
    text is split within a word)."""
    for separator in ("\n", " "):
        at = text.rfind(separator, max_length // 2, max_length)
        if at > 0:
            return at, separator
    at = min(max_length, len(text))
    while at > max(1, max_length - 64) and at < len(text) and _is_joined(text[at - 1], text[at]):
        at -= 1
    return at, ""


def _is_joined(before: str, after: str) -> bool:
    return after in _JOINING_CHARACTERS or before == "\u200d" or bool(unicodedata.combining(after))


def _block(tokens: Sequence[Token], kind: Kind, joiner: str | None) -> Block:
    html, inline_images = ("", ()) if kind == "rule" else to_html(tokens)
    return Block(kind, html=html, inline_images=inline_images, joiner=joiner)


def _bounded(tokens: Sequence[Token], kind: Kind, joiner: str | None) -> Iterator[Block]:
    if sum(len(token.content) for token in tokens) <= MAX_UNSPLIT_LENGTH:
        yield _block(tokens, kind, joiner)
        return
    text = "\n".join(token.content for token in tokens if token.content)
    for children, separator in split_inline([Token("text", "", 0, content=text)]):
        paragraph = Token("paragraph_open", "p", 1), Token("paragraph_close", "p", -1)
        yield _block(
            [paragraph[0], Token("inline", "", 0, children=children), paragraph[1]], "text", separator or joiner
        )


def _split_list(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Splits a list between its items. Tokens before and after the list remain in the first and the last piece."""
    depth = length = n_items = number = 0
    part: list[Token] = []
    opening: Token | None = None
    for token in tokens:
        if depth == 0 and token.type in ("bullet_list_open", "ordered_list_open"):
            opening, number = token, int(token.attrGet("start") or 1)
        depth += token.nesting
        part.append(token)
        length += len(token.content)
        if opening is not None and depth == 1 and token.type == "list_item_close":
            n_items, number = n_items + 1, number + 1
            if n_items >= ITEMS_PER_PIECE or length > PIECE_LENGTH:
                yield [*part, Token(opening.type.replace("_open", "_close"), opening.tag, -1)]
                attrs = {**opening.attrs, "start": number} if opening.type == "ordered_list_open" else opening.attrs
                part = [opening.copy(attrs=dict(attrs))]
                length = n_items = 0
        if depth == 0 and token.type in ("bullet_list_close", "ordered_list_close"):
            opening = None
    if any(token.nesting == 0 for token in part):
        yield part


def _split_children(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Splits a quote or a block of footnotes between the blocks that it contains."""
    opening, closing = tokens[0], tokens[-1]
    depth = length = 0
    part: list[Token] = []
    for token in tokens[1:-1]:
        depth += token.nesting
        part.append(token)
        length += len(token.content)
        if depth == 0 and length > PIECE_LENGTH:
            yield [opening, *part, closing]
            part, length = [], 0
    if part:
        yield [opening, *part, closing]


def _split_table(tokens: Sequence[Token]) -> Iterator[Block]:
    n_cells = 0
    joiner: str | None = None
    part: list[Token] = []
    for token in tokens:
        part.append(token)
        n_cells += token.type in ("th_open", "td_open")
        if n_cells >= CELLS_PER_PIECE and token.type == "tr_close":
            closing = [Token("tbody_close", "tbody", -1), Token("table_close", "table", -1)]
            yield _block([*part, *closing], "table", joiner)
            part, n_cells, joiner = [tokens[0], Token("tbody_open", "tbody", 1)], 0, "\n"
    if any(token.type == "inline" for token in part):
        yield _block(part, "table", joiner)

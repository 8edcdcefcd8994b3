"""Blocks that are too long to be laid out at once, as several that go on in each other. Pure.

A piece takes some 10 ms to lay out; the caller can stop between two of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from desktop.render.blocks import Block, Kind
from desktop.render.html import to_html

PIECE = 3_000
"""Letters of running text."""
ITEMS = 40
CELLS = 300
LARGEST = 24_000
"""Letters of a list or a quote that could not be cut: beyond them its words are shown alone."""
_JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f")


def split_block(tokens: Sequence[Token], kind: Kind) -> Iterator[Block]:
    """The tokens of one block as one `Block`, or as several where it is long."""
    size = sum(len(token.content) for token in tokens)
    head = tokens[0]
    if kind == "table":
        yield from _table(tokens)
    elif head.type in ("paragraph_open", "heading_open") and len(tokens) == 3 and size > PIECE:
        for children, joiner in split_inline(tokens[1].children or []):
            inline = Token("inline", "", 0, children=children, content=tokens[1].content[:1])
            yield _block([head, inline, tokens[2]], kind, joiner)
    elif kind == "list" and (size > PIECE or len(tokens) > 6 * ITEMS):
        for number, part in enumerate(_list_parts(tokens)):
            yield from _within_bounds(part, kind, "\n" if number else None)
    elif size > PIECE:
        for number, part in enumerate(_children(tokens)):
            yield from _within_bounds(part, kind, "\n\n" if number else None)
    else:
        yield _block(tokens, kind, None)


def split_inline(children: Sequence[Token], longest: int = PIECE) -> list[tuple[list[Token], str | None]]:
    """The inline tokens of one text as several lots; with each what stood between it and the one before."""
    known = [_as_text(token) if len(token.content) > longest and token.type != "text" else token for token in children]
    found = _cut(known, longest)
    if any(sum(len(token.content) for token in piece) > 2 * longest for piece, _ in found):
        plain = "".join(_as_text(token).content for token in children)
        found = _cut([Token("text", "", 0, content=plain)], longest)  # one mark around all of it
    return found


def _as_text(token: Token) -> Token:
    """The words of an inline token; a formula as it was written."""
    content = "\n" if token.type in ("softbreak", "hardbreak") else token.content
    if token.type in ("math_inline", "math_inline_double"):
        content = token.markup + content + {"\\(": "\\)", "\\[": "\\]"}.get(token.markup, token.markup)
    return Token("text", "", 0, content=content)


def _cut(children: Sequence[Token], longest: int) -> list[tuple[list[Token], str | None]]:
    found: list[tuple[list[Token], str | None]] = []
    piece: list[Token] = []
    joiner: str | None = None
    length = depth = 0
    for token in children:
        depth += token.nesting
        is_break = token.type in ("softbreak", "hardbreak")
        if depth == 0 and length >= longest // 2 and is_break:
            found.append((piece, joiner))
            piece, joiner, length = [], "\n", 0
            continue
        content = token.content
        while token.type == "text" and depth == 0 and length + len(content) > longest:
            end, between = split_point(content, max(1, longest - length))
            found.append(([*piece, Token("text", "", 0, content=content[:end])], joiner))
            content = content[end + len(between) :]
            piece, joiner, length = [], between, 0
        piece.append(token if content is token.content else Token("text", "", 0, content=content))
        length += len(content) + 1
        if depth == 0 and length > longest and token.type != "text":
            found.append((piece, joiner))
            piece, joiner, length = [], "", 0
    if piece:
        found.append((piece, joiner))
    return found


def split_point(text: str, longest: int) -> tuple[int, str]:
    """Where to cut a text, within `longest`, and the line break or space at that place: "" where there is none."""
    for between in ("\n", " "):
        at = text.rfind(between, longest // 2, longest)
        if at > 0:
            return at, between
    at = min(longest, len(text))
    while at > max(1, longest - 64) and at < len(text) and _belongs_together(text[at - 1], text[at]):
        at -= 1
    return at, ""


def _belongs_together(before: str, behind: str) -> bool:
    return behind in _JOINERS or before == "\u200d" or bool(unicodedata.combining(behind))


def _block(tokens: Sequence[Token], kind: Kind, joiner: str | None) -> Block:
    html, inline_images = ("", ()) if kind == "rule" else to_html(tokens)
    return Block(kind, html=html, inline_images=inline_images, joiner=joiner)


def _within_bounds(tokens: Sequence[Token], kind: Kind, joiner: str | None) -> Iterator[Block]:
    if sum(len(token.content) for token in tokens) <= LARGEST:
        yield _block(tokens, kind, joiner)
        return
    words = "\n".join(token.content for token in tokens if token.content)
    for children, between in split_inline([Token("text", "", 0, content=words)]):
        paragraph = Token("paragraph_open", "p", 1), Token("paragraph_close", "p", -1)
        yield _block([paragraph[0], Token("inline", "", 0, children=children), paragraph[1]], "text", between or joiner)


def _list_parts(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """A list as several, each of whole items; tokens around the list stay with the part that they stand beside."""
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
            if n_items >= ITEMS or length > PIECE:
                yield [*part, Token(opening.type.replace("_open", "_close"), opening.tag, -1)]
                attrs = {**opening.attrs, "start": number} if opening.type == "ordered_list_open" else opening.attrs
                part = [opening.copy(attrs=dict(attrs))]
                length = n_items = 0
        if depth == 0 and token.type in ("bullet_list_close", "ordered_list_close"):
            opening = None
    if any(token.nesting == 0 for token in part):
        yield part


def _children(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """A quote, or the notes, as several, each of whole blocks."""
    opening, closing = tokens[0], tokens[-1]
    depth = length = 0
    part: list[Token] = []
    for token in tokens[1:-1]:
        depth += token.nesting
        part.append(token)
        length += len(token.content)
        if depth == 0 and length > PIECE:
            yield [opening, *part, closing]
            part, length = [], 0
    if part:
        yield [opening, *part, closing]


def _table(tokens: Sequence[Token]) -> Iterator[Block]:
    n_cells = 0
    joiner: str | None = None
    part: list[Token] = []
    for token in tokens:
        part.append(token)
        n_cells += token.type in ("th_open", "td_open")
        if n_cells >= CELLS and token.type == "tr_close":
            closing = [Token("tbody_close", "tbody", -1), Token("table_close", "table", -1)]
            yield _block([*part, *closing], "table", joiner)
            part, n_cells, joiner = [tokens[0], Token("tbody_open", "tbody", 1)], 0, "\n"
    if any(token.type == "inline" for token in part):
        yield _block(part, "table", joiner)

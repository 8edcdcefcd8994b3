"""Splits Markdown lists at the code blocks inside them, so that each code block becomes a block of the message. All
functions may be called on any thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it.token import Token

CODE = ("fence", "code_block")
LIST_OPENINGS = ("bullet_list_open", "ordered_list_open")


@dataclass(slots=True)
class _Level:
    """An open list. After a split, `begun` is False until the list's next item starts."""

    opening: Token
    number: int
    begun: bool = True


def split_list_at_code(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Splits the tokens of one list into lists without code, and code blocks.

    Where a list continues after a code block, its opening token has the number of the next item in `start` and its
    nesting depth in `meta["depth"]`. If an item was split, the rest of it becomes paragraphs without a bullet, which
    have the same depth."""
    levels: list[_Level] = []
    part: list[Token] = []
    quotes = 0
    for token in tokens:
        quotes += token.nesting if token.type.startswith("blockquote") else 0
        if token.type in CODE and not quotes:
            if any(each.nesting == 0 for each in part):
                yield [*part, *_closings(levels)]
            yield [token]
            part = []
            for level in levels:
                level.begun = False
        else:
            part += _continued(token, levels)
    if any(each.nesting == 0 for each in part):
        yield part


def _continued(token: Token, levels: list[_Level]) -> list[Token]:
    """The tokens that replace `token`. After a split, a list is opened again only when its next item starts."""
    if token.type in LIST_OPENINGS:
        levels.append(_Level(token, int(token.attrGet("start") or 1) - 1))
        is_split = any(not level.begun for level in levels[:-1])
        return [_at_depth(token, len(levels))] if is_split else [token]
    if token.type.endswith("_list_close"):
        return [token] if levels.pop().begun else []
    level = levels[-1]
    if token.type == "list_item_open":
        level.number += 1
        if level.begun:
            return [token]
        level.begun = True
        opening = _at_depth(level.opening, len(levels))
        opening.attrSet("start", str(level.number))
        return [opening, token]
    if level.begun:
        return [token]
    if token.type == "list_item_close":
        return []
    return [_at_depth(token, len(levels))] if token.type.startswith("paragraph") else [token]


def _closings(levels: list[_Level]) -> Iterator[Token]:
    for level in reversed(levels):
        if level.begun:
            yield Token("list_item_close", "li", -1)
            yield Token(level.opening.type.replace("_open", "_close"), level.opening.tag, -1)


def _at_depth(token: Token, depth: int) -> Token:
    return token.copy(attrs=dict(token.attrs), meta={**token.meta, "depth": depth}, hidden=False)

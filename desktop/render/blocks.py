"""What a message is made of: blocks that are laid out, drawn and replaced one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "heading", "list", "quote", "table", "code", "rule", "notes"]


@dataclass(frozen=True, slots=True)
class InlineImage:
    """A formula or a picture among the words. `source` is LaTeX, or the picture's address; `shown` stands in for it
    until it is drawn, where it cannot be drawn, and when it is copied. `display`: a formula on a line of its own."""

    kind: Literal["formula", "picture"]
    source: str
    shown: str
    display: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """`html` is ours alone: everything that came from outside is escaped in it, and `<img src="inset:N">` stands for
    the N-th of `inline_images`. `code` and `language` for code."""

    kind: Kind
    html: str = ""
    code: str = ""
    language: str = ""
    inline_images: tuple[InlineImage, ...] = ()
    joiner: str | None = None
    """Where it goes on what the block before it began: the letters that stood between the two."""

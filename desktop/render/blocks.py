"""The blocks of a message: paragraphs, code, tables and so on, each laid out and replaced by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "heading", "list", "quote", "table", "code", "rule", "footnotes"]


@dataclass(frozen=True, slots=True)
class InlineImage:
    """A formula or a picture in the text."""

    kind: Literal["formula", "picture"]
    source: str
    """LaTeX, or the address of the picture."""
    alt_text: str
    """Shown while the image is not rendered, or cannot be, and copied in its place."""
    display: bool = False
    """A formula on a line of its own."""


@dataclass(frozen=True, slots=True)
class Block:
    """`code` and `language` are set for code, `html` for all other kinds."""

    kind: Kind
    html: str = ""
    """Safe: all untrusted text is escaped. `<img src="inline:N">` is the N-th of `inline_images`."""
    code: str = ""
    language: str = ""
    inline_images: tuple[InlineImage, ...] = ()
    joiner: str | None = None
    """If a long block was split: the text between this piece and the one before. None for the start of a block."""

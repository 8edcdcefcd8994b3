"""The blocks of a message: paragraphs, code, tables and so on. Each block is laid out separately, and replaced
separately while an answer streams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "heading", "list", "quote", "table", "code", "rule", "footnotes"]


@dataclass(frozen=True, slots=True)
class InlineImage:
    """A formula or a picture within the text of a block."""

    kind: Literal["formula", "picture"]
    source: str
    """The LaTeX of a formula, or the address of a picture."""
    alt_text: str
    """The text shown until the image is rendered, or if it cannot be rendered. It is also copied in place of the
    image."""
    display: bool = False
    """Whether this is a display formula, on a line of its own."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a message. Code blocks have `code` and `language`; all other kinds have `html`."""

    kind: Kind
    html: str = ""
    """HTML in which all untrusted text is escaped. `<img src="inline:N">` is the N-th of `inline_images`."""
    code: str = ""
    language: str = ""
    inline_images: tuple[InlineImage, ...] = ()
    joiner: str | None = None
    """For a piece of a split block: the text between the previous piece and this one. None for the first piece, and for
    a block that was not split."""

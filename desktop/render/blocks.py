"""What a message is made of: blocks that are laid out, drawn and replaced one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "heading", "list", "quote", "table", "code", "rule"]


@dataclass(frozen=True, slots=True)
class Block:
    """`html` is ours alone: everything that came from outside is escaped in it. `code` and `language` for code."""

    kind: Kind
    html: str = ""
    code: str = ""
    language: str = ""

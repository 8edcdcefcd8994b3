"""Reads texts ahead of their being drawn, so that drawing finds the work done. Any thread."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.render.code_highlighting import code_html
from desktop.render.excerpt import excerpt
from desktop.render.formula_rendering import formula
from desktop.render.markdown import blocks

MESSAGES = 12
"""What a tall window shows at once."""


def warm(texts: Sequence[str]) -> None:
    """Fills the memories of `blocks`, `code_html` and `formula` for the last texts: a chat opens at its end."""
    for text in texts[-MESSAGES:]:
        for block in blocks(excerpt(text)):
            if block.kind == "code":
                code_html(block.code, block.language)
            for inset in block.inline_images:
                if inset.kind == "formula":
                    formula(inset.source, display=inset.display)

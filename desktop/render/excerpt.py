"""The part of a text that is shown: what a person or a model wrote may be of any length. Pure."""

from __future__ import annotations

from desktop.render.long_text import split_point

SHOWN = 60_000
"""Letters of a message that are shown until more is asked for."""


def excerpt(text: str, longest: int = SHOWN) -> str:
    """The text, or its beginning up to a line's or a word's end."""
    return text if len(text) <= longest else text[: split_point(text, longest)[0]]

"""Texts of a person, or of a file, as Qt shows them to the letter."""

from __future__ import annotations

from html import escape

from PySide6.QtGui import Qt


def button_text(text: str) -> str:
    """For a button or a menu, where a single ampersand would underline the next letter and make it a shortcut."""
    return text.replace("&", "&&")


def tooltip_text(text: str) -> str:
    """For a tooltip, which Qt shows as HTML if the text looks like it."""
    if not Qt.mightBeRichText(text):
        return text
    return f"<qt>{escape(text, quote=False)}</qt>".replace("\n", "<br>")

"""Escapes texts that Qt would interpret as mnemonics or HTML."""

from __future__ import annotations

from html import escape

from PySide6.QtGui import Qt


def button_text(text: str) -> str:
    """For a button or a menu, where an ampersand makes the next letter a mnemonic."""
    return text.replace("&", "&&")


def tooltip_text(text: str) -> str:
    """For a tooltip, which Qt renders as HTML if the text looks like it."""
    if not Qt.mightBeRichText(text):
        return text
    return f"<qt>{escape(text, quote=False)}</qt>".replace("\n", "<br>")

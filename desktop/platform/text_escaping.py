"""Escapes texts that Qt would interpret as mnemonics or HTML."""

from __future__ import annotations

from PySide6.QtGui import Qt


def button_text(text: str) -> str:
    """Escapes a text for a button or menu entry, where an ampersand would make the next letter a mnemonic."""
    return text.replace("&", "&&")


def tooltip_text(text: str) -> str:
    """Escapes a text for a tooltip, which Qt would render as HTML if the text looks like HTML."""
    if not Qt.mightBeRichText(text):
        return text
    from html import escape  # imported here because the first paint does not need it

    return f"<qt>{escape(text, quote=False)}</qt>".replace("\n", "<br>")

"""Bidirectional text (Arabic and Hebrew beside other scripts), and layout from right to left."""

from __future__ import annotations

import unicodedata
from typing import TypeVar

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QGuiApplication

MAX_SEARCHED = 2_000
"""Characters that are searched for the first with a direction."""

_ISOLATE, _END = "\u2068", "\u2069"


def direction_of(text: str) -> Qt.LayoutDirection:
    """The direction of the first character that has one, else of the layout."""
    for letter in text[:MAX_SEARCHED]:
        match unicodedata.bidirectional(letter):
            case "L":
                return Qt.LayoutDirection.LeftToRight
            case "R" | "AL":
                return Qt.LayoutDirection.RightToLeft
    return QGuiApplication.layoutDirection()


def isolated(text: str) -> str:
    """One line of text in Unicode isolates: drawn in its own direction, without influence on the text around it."""
    return f"{_ISOLATE}{text}{_END}"


def is_mirrored() -> bool:
    """Whether the layout is from right to left."""
    return QGuiApplication.layoutDirection() == Qt.LayoutDirection.RightToLeft


Box = TypeVar("Box", QRect, QRectF)


def mirrored(box: Box, around: Box) -> Box:
    """The place of a box, given for a layout from left to right, in the current layout."""
    if not is_mirrored():
        return box
    return box.translated(around.left() + around.left() + around.width() - box.left() - box.left() - box.width(), 0)

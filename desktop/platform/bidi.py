"""Helpers for bidirectional text (Arabic and Hebrew beside other scripts) and for the layout from right to left."""

from __future__ import annotations

import unicodedata
from typing import TypeVar

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QGuiApplication

MAX_SEARCHED = 2_000
"""Only this many characters at the start of a text are searched for one that has a direction."""

_ISOLATE, _END = "\u2068", "\u2069"


def direction_of(text: str) -> Qt.LayoutDirection:
    """The direction of the first character that has one. If none has, the direction of the layout."""
    for letter in text[:MAX_SEARCHED]:
        match unicodedata.bidirectional(letter):
            case "L":
                return Qt.LayoutDirection.LeftToRight
            case "R" | "AL":
                return Qt.LayoutDirection.RightToLeft
    return QGuiApplication.layoutDirection()


def isolated(text: str) -> str:
    """The text between Unicode isolates. It is then drawn in its own direction and does not affect the text around
    it."""
    return f"{_ISOLATE}{text}{_END}"


def is_mirrored() -> bool:
    """Whether the layout is from right to left."""
    return QGuiApplication.layoutDirection() == Qt.LayoutDirection.RightToLeft


Box = TypeVar("Box", QRect, QRectF)


def mirrored(box: Box, around: Box) -> Box:
    """The position of `box` within `around`, mirrored if the layout is from right to left."""
    if not is_mirrored():
        return box
    return box.translated(around.left() + around.left() + around.width() - box.left() - box.left() - box.width(), 0)

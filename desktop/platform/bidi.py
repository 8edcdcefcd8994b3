"""Text and layout from right to left: Arabic and Hebrew beside other scripts, and the window mirrored."""

from __future__ import annotations

import unicodedata
from typing import TypeVar

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QGuiApplication

ENOUGH = 2_000
"""Letters that are looked at for the first that has a direction."""

_ISOLATE, _END = "\u2068", "\u2069"


def direction_of(text: str) -> Qt.LayoutDirection:
    """That of the first letter that has one; the layout's where none has."""
    for letter in text[:ENOUGH]:
        match unicodedata.bidirectional(letter):
            case "L":
                return Qt.LayoutDirection.LeftToRight
            case "R" | "AL":
                return Qt.LayoutDirection.RightToLeft
    return QGuiApplication.layoutDirection()


def isolated(text: str) -> str:
    """The same for one line that is drawn: in its own direction, with what stands at its end at its own end, and no
    influence on what is around it."""
    return f"{_ISOLATE}{text}{_END}"


def is_mirrored() -> bool:
    """Whether the window is laid out from right to left."""
    return QGuiApplication.layoutDirection() == Qt.LayoutDirection.RightToLeft


Box = TypeVar("Box", QRect, QRectF)


def mirrored(box: Box, around: Box) -> Box:
    """Where a box that is laid out from left to right stands in the layout in force."""
    if not is_mirrored():
        return box
    return box.translated(around.left() + around.left() + around.width() - box.left() - box.left() - box.width(), 0)

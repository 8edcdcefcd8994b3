"""Creates drag and drop events as the window system sends them, with every supported version of PySide6."""

from __future__ import annotations

from typing import Any

from PySide6 import __version_info__
from PySide6.QtCore import QMimeData, QPoint, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent

TAKES_POINTF = __version_info__ >= (6, 12)
"""PySide6 6.12 deprecates the constructors with a QPoint. In 6.11, enter and move events have no other constructors."""


def drag_enter(at: QPoint, mime: QMimeData, actions: Qt.DropAction = Qt.DropAction.CopyAction) -> QDragEnterEvent:
    """The event of a pointer that enters a widget with the left button held. `at` is in coordinates of the widget."""
    return QDragEnterEvent(_position(at), *_rest(mime, actions))


def drag_move(at: QPoint, mime: QMimeData, actions: Qt.DropAction = Qt.DropAction.CopyAction) -> QDragMoveEvent:
    """The event of a pointer that moves over a widget during a drag."""
    return QDragMoveEvent(_position(at), *_rest(mime, actions))


def dropped(at: QPoint, mime: QMimeData, actions: Qt.DropAction = Qt.DropAction.CopyAction) -> QDropEvent:
    """The event of the left button being released over a widget during a drag."""
    return QDropEvent(at.toPointF(), *_rest(mime, actions))


def _position(at: QPoint) -> Any:
    return at.toPointF() if TAKES_POINTF else at


def _rest(mime: QMimeData, actions: Qt.DropAction) -> tuple[Any, ...]:
    return actions, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier

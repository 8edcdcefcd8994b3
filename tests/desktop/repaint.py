"""Compares the pixels of a window on the screen with a full repaint of the window.

`QWidget.grab()` paints before it copies, so it never shows a part that was not repainted. `QScreen.grabWindow()` copies
the window's surface: on the offscreen platform the backing store, elsewhere the pixels of the screen.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, QRect
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QAbstractItemView, QWidget

_PENDING = (QEvent.Type.LayoutRequest, QEvent.Type.UpdateRequest)


class Surface:
    """The pixels of one visible window. GUI thread only; may be used inside a coroutine."""

    def __init__(self, window: QWidget) -> None:
        self._window = window.window()

    def held(self) -> QImage:
        """The pixels after all requested updates are painted."""
        self._paint_requested()
        return self._copied()

    def repainted(self) -> QImage:
        """The pixels after a full repaint of the window."""
        for widget in self._window.findChildren(QWidget):
            if widget.isVisible() and not widget.isWindow():
                widget.update()
        self._window.repaint()
        self._paint_requested()
        return self._copied()

    def difference(self) -> QRect:
        """The smallest rectangle that contains all differing pixels; empty if there are none.

        The window is fully repainted afterwards, so that the next comparison finds only the differences of the next
        action."""
        held, repainted = self.held(), self.repainted()
        return QRect() if held == repainted else _bounds(held, repainted)

    def _copied(self) -> QImage:
        return self._window.screen().grabWindow(self._window.winId()).toImage()

    def _paint_requested(self) -> None:
        """Delivers requested layouts and paints without running the event loop, since a coroutine must not run it."""
        for view in self._window.findChildren(QAbstractItemView):
            if view.isVisible():
                # this call makes the view run a delayed layout of its rows
                view.indexAt(view.viewport().rect().topLeft())
        for _ in range(3):  # a layout may request a paint, and painting a layout
            for kind in _PENDING:
                QCoreApplication.sendPostedEvents(None, kind.value)


def assert_current(surface: Surface, action: str) -> None:
    """Fails if the window on the screen differs from a full repaint. `action` is named in the message."""
    wrong = surface.difference()
    assert wrong.isEmpty(), f"after {action}: not repainted at {wrong.getRect()}"


def _bounds(one: QImage, other: QImage) -> QRect:
    if one.size() != other.size():
        return QRect(0, 0, max(one.width(), other.width()), max(one.height(), other.height()))
    rows = [y for y in range(one.height()) if _row(one, y) != _row(other, y)]
    top, height = rows[0], rows[-1] - rows[0] + 1
    parts = [image.copy(0, top, image.width(), height) for image in (one, other)]
    columns = [x for x in range(one.width()) if parts[0].copy(x, 0, 1, height) != parts[1].copy(x, 0, 1, height)]
    return QRect(columns[0], top, columns[-1] - columns[0] + 1, height)


def _row(image: QImage, y: int) -> QImage:
    return image.copy(0, y, image.width(), 1)

"""Sends mouse events to widgets, as Qt receives them from the window system."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QHoverEvent, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QStyle, QStyleOptionSlider, QWidget

NOTCH = 120
"""One step of a mouse wheel, in eighths of a degree."""
_NO_BUTTON, _NO_KEYS = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier


def wheel(widget: QWidget, n_notches: int, at: QPoint | None = None) -> None:
    """Turns the mouse wheel over a widget by a number of steps, downwards if it is positive."""
    at = at if at is not None else widget.rect().center()
    sign = 1 if n_notches > 0 else -1
    for _ in range(abs(n_notches)):
        event = QWheelEvent(
            QPointF(at),
            QPointF(widget.mapToGlobal(at)),
            QPoint(),
            QPoint(0, -sign * NOTCH),
            _NO_BUTTON,
            _NO_KEYS,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(widget, event)


def hover(widget: QWidget, at: QPoint) -> None:
    """Moves the pointer over a widget without a button held."""
    local, on_screen = QPointF(at), QPointF(widget.mapToGlobal(at))
    QApplication.sendEvent(widget, QHoverEvent(QEvent.Type.HoverMove, local, on_screen, QPointF(-1, -1)))
    QApplication.sendEvent(
        widget, QMouseEvent(QEvent.Type.MouseMove, local, on_screen, _NO_BUTTON, _NO_BUTTON, _NO_KEYS)
    )


def leave(widget: QWidget) -> None:
    QApplication.sendEvent(widget, QHoverEvent(QEvent.Type.HoverLeave, QPointF(-1, -1), QPointF(-1, -1), QPointF(1, 1)))
    QApplication.sendEvent(widget, QEvent(QEvent.Type.Leave))


def drag_scroll_bar(area: QAbstractScrollArea, distance: int) -> None:
    """Drags the handle of the vertical scroll bar down by `distance` pixels."""
    bar = area.verticalScrollBar()
    option = QStyleOptionSlider()
    bar.initStyleOption(option)
    control, handle = QStyle.ComplexControl.CC_ScrollBar, QStyle.SubControl.SC_ScrollBarSlider
    start = bar.style().subControlRect(control, option, handle, bar).center()
    QTest.mousePress(bar, Qt.MouseButton.LeftButton, pos=start)
    for part in (1, 2, 3):
        at = start + QPoint(0, distance * part // 3)
        event = QMouseEvent(
            QEvent.Type.MouseMove,
            QPointF(at),
            QPointF(bar.mapToGlobal(at)),
            _NO_BUTTON,
            Qt.MouseButton.LeftButton,
            _NO_KEYS,
        )
        QApplication.sendEvent(bar, event)
    QTest.mouseRelease(bar, Qt.MouseButton.LeftButton, pos=start + QPoint(0, distance))

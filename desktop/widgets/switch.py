"""A check box that is drawn as a switch."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QFocusEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox, QWidget

from desktop.platform.theme import Theme

WIDTH, HEIGHT = 36, 20


class Switch(QCheckBox):
    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._by_key = False
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(WIDTH + 4, HEIGHT + 4)

    def hitButton(self, pos: QPoint) -> bool:
        return self.rect().contains(pos)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._by_key = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        super().focusInEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QRectF(2, 2, WIDTH, HEIGHT)
        if self.hasFocus() and self._by_key:
            painter.setPen(QPen(self._theme.colour("text"), 1.5))
            painter.drawRoundedRect(track.adjusted(-1, -1, 1, 1), HEIGHT / 2 + 1, HEIGHT / 2 + 1)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("accent" if self.isChecked() else "scroll"))
        painter.drawRoundedRect(track, HEIGHT / 2, HEIGHT / 2)
        left = track.right() - HEIGHT + 2 if self.isChecked() else track.left() + 2
        painter.setBrush(self._theme.colour("knob"))
        painter.drawEllipse(QRectF(left, track.top() + 2, HEIGHT - 4, HEIGHT - 4))

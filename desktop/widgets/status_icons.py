"""Small status icons: a dot and a progress ring."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen, QPixmap

from desktop.platform.theme import Theme

DOT, RING = 8, 14


def dot_pixmap(theme: Theme, token: str, scale: float) -> QPixmap:
    """A dot in the colour `token` of the theme, for a screen with this scale."""
    pixmap = _clear(DOT, scale)
    with QPainter(pixmap) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(token))
        painter.drawEllipse(0, 0, DOT, DOT)
    return pixmap


def ring_pixmap(theme: Theme, share: float, scale: float) -> QPixmap:
    pixmap = _clear(RING, scale)
    with QPainter(pixmap) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        draw_ring(painter, QRectF(1.5, 1.5, RING - 3, RING - 3), share, theme)
    return pixmap


def draw_ring(painter: QPainter, box: QRectF, share: float, theme: Theme) -> None:
    """Draw a ring of which `share` (0 to 1) is filled clockwise from 12 o'clock."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(theme.colour("line"), 2.5))
    painter.drawEllipse(box)
    painter.setPen(QPen(theme.colour("accent"), 2.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    if share > 0:
        painter.drawArc(box, 90 * 16, -round(max(share, 0.02) * 360 * 16))


def _clear(size: int, scale: float) -> QPixmap:
    pixmap = QPixmap(QSize(size, size) * scale)
    pixmap.setDevicePixelRatio(scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    return pixmap

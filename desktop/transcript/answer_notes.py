"""The note below an answer on how it ended, and its figures."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFontMetrics, QFontMetricsF, QPainter

from desktop.platform.bidi import isolated, mirrored
from desktop.platform.theme import Theme, text_font
from desktop.store.records import ChatMessage
from desktop.transcript.strings import answer_stats, ending_note


def note_box(message: ChatMessage, width: int, top: int) -> QRect:
    """The room that the note takes in an item of this width, below `top`; empty where there is none."""
    note = ending_note(message)
    if not note or message.state == "streaming":
        return QRect()
    room = QRect(0, 0, width - 24, 10_000)
    wrapped = QFontMetrics(text_font(13)).boundingRect(room, int(Qt.TextFlag.TextWordWrap), note)
    return QRect(0, top + (8 if top else 0), width, max(20, wrapped.height()))


def paint_note(painter: QPainter, theme: Theme, message: ChatMessage, box: QRect) -> None:
    """Draws nothing where `box` is empty."""
    if not box.height():
        return
    icon = theme.pixmap("triangle-alert", "accent", 15, painter.device().devicePixelRatioF())
    painter.drawPixmap(mirrored(QRect(0, box.top() + 2, 15, 15), box).topLeft(), icon)
    painter.setFont(text_font(13))
    painter.setPen(theme.colour("muted"))
    flags = int(Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignVCenter)
    painter.drawText(mirrored(box.adjusted(24, 0, 0, 0), box), flags, ending_note(message))


def fitting_stats(message: ChatMessage, width: float) -> str:
    """As many of an answer's figures as fit into `width`, the first ones."""
    text, metrics = answer_stats(message), QFontMetricsF(text_font(12))
    while text and metrics.horizontalAdvance(text) > width:
        text = text.rpartition(" · ")[0]
    return text


def paint_stats(painter: QPainter, theme: Theme, stats: str, box: QRect) -> None:
    painter.setFont(text_font(12))
    painter.setPen(theme.colour("muted"))
    right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    painter.drawText(box, right, isolated(stats))

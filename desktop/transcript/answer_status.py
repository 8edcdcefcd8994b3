"""What is drawn below the text of an answer: what it is waiting for while it streams, then how it ended and its
statistics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QFontMetricsF, QPainter

from desktop.chat.waiting import Waiting
from desktop.platform.bidi import isolated, mirrored
from desktop.platform.theme import Theme, text_font
from desktop.settings.all_settings import Settings
from desktop.store.records import ChatMessage
from desktop.transcript.strings import ending_note, statistics, waiting_text

STATUS_POLL_MS = 120
"""The interval at which the status is polled. A status is thus visible within 200 ms, and a wait that is shorter than
the interval may not be shown."""

LINE_HEIGHT, BAR_WIDTH, BAR_HEIGHT = 25, 180, 4
NOTE_MARGIN, NOTE_INDENT, ICON_SIZE = 8, 24, 15
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_WRAPPED = int(Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignVCenter)


@dataclass(frozen=True, slots=True)
class WaitStatus:
    """What a streaming answer is waiting for: a line of text and a progress bar. The text is empty if the answer waits
    for nothing."""

    text: str = ""
    progress: float | None = None
    """The progress from 0 to 1. With None, the progress is unknown and no bar is drawn."""
    is_stopping: bool = False
    """Whether the answer was stopped but has not ended yet. It can already be replaced by another one."""

    @classmethod
    def of(cls, waiting: Waiting) -> WaitStatus:
        return cls(waiting_text(waiting), waiting.share, waiting.stage == "stopping")

    @property
    def height(self) -> int:
        """The height in pixels of the line with its bar; 0 if there is no text."""
        if not self.text:
            return 0
        return LINE_HEIGHT if self.progress is None else LINE_HEIGHT + BAR_HEIGHT + 6

    def paint(self, painter: QPainter, box: QRect, theme: Theme) -> None:
        """Draws the status at the top of `box`, no wider than `box`."""
        painter.setFont(text_font(13))
        painter.setPen(theme.colour("muted"))
        line = QRect(box.left(), box.top(), box.width(), LINE_HEIGHT)
        painter.drawText(line, int(Qt.AlignmentFlag.AlignVCenter), self.text)
        if self.progress is None:
            return
        track = QRectF(box.left(), box.top() + LINE_HEIGHT + 1, min(BAR_WIDTH, box.width()), BAR_HEIGHT)
        done = QRectF(track.left(), track.top(), max(BAR_HEIGHT, track.width() * self.progress), BAR_HEIGHT)
        painter.setPen(Qt.PenStyle.NoPen)
        for part, token in ((track, "line"), (done, "accent")):
            painter.setBrush(theme.colour(token))
            painter.drawRoundedRect(mirrored(part, QRectF(box)), BAR_HEIGHT / 2, BAR_HEIGHT / 2)


StatusOf = Callable[[str], WaitStatus]
"""A function that returns the status of the message with this id."""


def note_box(message: ChatMessage, width: int, top: int) -> QRect:
    """The rectangle below `top` for the note on how an answer ended. Empty if the answer has no note."""
    note = ending_note(message)
    if not note or message.state == "streaming":
        return QRect()
    room = QRect(0, 0, width - NOTE_INDENT, 10_000)
    wrapped = QFontMetrics(text_font(13)).boundingRect(room, int(Qt.TextFlag.TextWordWrap), note)
    return QRect(0, top + (NOTE_MARGIN if top else 0), width, max(20, wrapped.height()))


def paint_note(painter: QPainter, theme: Theme, message: ChatMessage, box: QRect) -> None:
    """Draws the note on how an answer ended, with a warning icon. `box` is the result of `note_box`."""
    if not box.height():
        return
    icon = theme.pixmap("triangle-alert", "accent", ICON_SIZE, painter.device().devicePixelRatioF())
    painter.drawPixmap(mirrored(QRect(0, box.top() + 2, ICON_SIZE, ICON_SIZE), box).topLeft(), icon)
    painter.setFont(text_font(13))
    painter.setPen(theme.colour("muted"))
    text_box = mirrored(box.adjusted(NOTE_INDENT, 0, 0, 0), box)
    painter.drawText(text_box, _WRAPPED, ending_note(message))


def fitting_stats(message: ChatMessage, settings: Settings, width: float) -> str:
    """The statistics of an answer that fit into `width` pixels. The last ones are omitted first."""
    text, metrics = statistics(message, settings), QFontMetricsF(text_font(12))
    while text and metrics.horizontalAdvance(text) > width:
        text = text.rpartition(" · ")[0]
    return text


def paint_stats(painter: QPainter, theme: Theme, stats: str, box: QRect) -> None:
    painter.setFont(text_font(12))
    painter.setPen(theme.colour("muted"))
    painter.drawText(box, _RIGHT, isolated(stats))

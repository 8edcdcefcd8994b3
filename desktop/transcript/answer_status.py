"""The line that says what an answer waits for, with a bar where it is known how far that is."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QPainter

from desktop.platform.bidi import mirrored
from desktop.platform.theme import Theme, text_font

STATUS_POLL_MS = 120
"""How often it is looked at: a sign is on the screen within 200 ms, and what takes less time shows none."""

LINE, BAR_WIDTH, BAR_HEIGHT = 25, 180, 4


@dataclass(frozen=True, slots=True)
class WaitStatus:
    """`share` is from 0 to 1; None: no bar."""

    text: str = ""
    share: float | None = None

    @property
    def height(self) -> int:
        if not self.text:
            return 0
        return LINE if self.share is None else LINE + BAR_HEIGHT + 6

    def paint(self, painter: QPainter, box: QRect, theme: Theme) -> None:
        """At the top of `box`, which is as wide as there is room."""
        painter.setFont(text_font(13))
        painter.setPen(theme.colour("muted"))
        line = QRect(box.left(), box.top(), box.width(), LINE)
        painter.drawText(line, int(Qt.AlignmentFlag.AlignVCenter), self.text)
        if self.share is None:
            return
        track = QRectF(box.left(), box.top() + LINE + 1, min(BAR_WIDTH, box.width()), BAR_HEIGHT)
        done = QRectF(track.left(), track.top(), max(BAR_HEIGHT, track.width() * self.share), BAR_HEIGHT)
        painter.setPen(Qt.PenStyle.NoPen)
        for part, token in ((track, "line"), (done, "accent")):
            painter.setBrush(theme.colour(token))
            painter.drawRoundedRect(mirrored(part, QRectF(box)), BAR_HEIGHT / 2, BAR_HEIGHT / 2)

"""Several answers to one question, seen side by side as cards, of which one is kept."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from desktop.platform.number_format import counted, decimal
from desktop.platform.theme import Theme, text_font
from desktop.store.records import ChatMessage
from desktop.transcript.inline_images import InlineImageCache
from desktop.transcript.message_item import MessageItem, StatusOf
from desktop.transcript.place import SegmentPosition

translate = QCoreApplication.translate

GAP = 12
PADDING = 15
HEAD = 34
NARROWEST = 200
FOOT = 34


class _CardItem(MessageItem):
    """One answer in its card: words only, without actions below."""

    @property
    def has_actions(self) -> bool:
        return False

    def _paint_end(self, painter: QPainter) -> None:
        if self.message.state == "streaming":
            super()._paint_end(painter)


class ComparisonItem(MessageItem):
    """The row's own message is the one that is kept. GUI thread only."""

    def __init__(
        self,
        message: ChatMessage,
        others: Sequence[ChatMessage],
        theme: Theme,
        width: int,
        inline_images: InlineImageCache | None = None,
    ) -> None:
        self._others = tuple(others)
        self._cards: dict[str, _CardItem] = {}
        super().__init__(message, theme, width, inline_images)
        self.show_alternatives(others)

    def show_alternatives(self, others: Sequence[ChatMessage]) -> None:
        """All of them, in their order; each is taken up as it grows."""
        self._others = tuple(others)
        width = self._card_width() - 2 * PADDING
        for other in others:
            card = self._cards.get(other.id)
            if card is None:
                self._cards[other.id] = _CardItem(other, self._theme, width, self._inline_images)
            elif card.message is not other:
                card.update(other)

    @property
    def is_live(self) -> bool:
        return any(other.state == "streaming" for other in self._others)

    @property
    def has_actions(self) -> bool:
        return not self.is_live

    @property
    def height(self) -> int:
        bottom = max((box.bottom() + 1 for box in self.boxes()), default=0)
        return bottom + FOOT + (36 if self.has_actions else 0)

    def boxes(self) -> list[QRect]:
        """The cards, relative to the item's corner."""
        found: list[QRect] = []
        columns, width, top = self._columns(), self._card_width(), 0
        for first in range(0, len(self._others), columns):
            row = self._others[first : first + columns]
            height = max(HEAD + self._cards[other.id].height + PADDING for other in row)
            found += [QRect(n * (width + GAP), top, width, height) for n in range(len(row))]
            top += height + GAP
        return found

    def choices(self) -> list[tuple[str, QRect]]:
        """Each answer's id with its card."""
        return [(other.id, box) for other, box in zip(self._others, self.boxes(), strict=True)]

    def update(self, message: ChatMessage) -> int:
        self.message = message
        return 0

    def update_status(self, wait_status_of: StatusOf) -> bool:
        changed = [
            card.update_status(wait_status_of) for card in self._cards.values()
        ]  # of each, whatever the first says
        return any(changed)

    def set_width(self, width: int) -> None:
        self.width = width
        for card in self._cards.values():
            card.set_width(self._card_width() - 2 * PADDING)

    def restyle(self) -> None:
        for card in self._cards.values():
            card.restyle()

    def is_text(self, point: QPointF) -> bool:
        return False

    def position_at(self, point: QPointF) -> SegmentPosition | None:
        return None

    def paint(self, painter: QPainter, seen: QRectF, selection: tuple[SegmentPosition, SegmentPosition] | None) -> None:
        for number, (other, box) in enumerate(zip(self._others, self.boxes(), strict=True), start=1):
            self._paint_card(painter, box, number, other)
        foot = QRect(0, self.height - FOOT - (36 if self.has_actions else 0), self.width, FOOT)
        painter.setFont(text_font(12))
        painter.setPen(self._theme.colour("muted"))
        painter.drawText(foot, int(Qt.AlignmentFlag.AlignVCenter), self._summary())

    def _paint_card(self, painter: QPainter, box: QRect, number: int, other: ChatMessage) -> None:
        kept = other.id == self.message.id
        painter.setPen(QPen(self._theme.colour("accent" if kept else "line"), 2 if kept else 1))
        painter.setBrush(self._theme.colour("surface"))
        painter.drawRoundedRect(QRectF(box).adjusted(1, 1, -1, -1), 12, 12)
        head = QRect(box.left() + PADDING, box.top(), box.width() - 2 * PADDING, HEAD)
        painter.setFont(text_font(12))
        painter.setPen(self._theme.colour("muted"))
        painter.drawText(head, int(Qt.AlignmentFlag.AlignVCenter), str(number))
        painter.setPen(self._theme.colour("accent" if kept else "muted"))
        right = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
        painter.drawText(head, right, translate("transcript", "kept") if kept else translate("transcript", "choose"))
        painter.save()
        painter.translate(box.left() + PADDING, box.top() + HEAD)
        self._cards[other.id].paint(painter, QRectF(0, 0, box.width(), box.height()), None)
        painter.restore()

    def _summary(self) -> str:
        text = _answers(len(self._others))
        took = max((other.first_token_s + other.decode_s for other in self._others), default=0.0)
        if self.is_live or not took:
            return text
        seconds = translate("transcript", "{seconds} s").format(seconds=decimal(took))
        return f"{text} · {seconds}"

    def _columns(self) -> int:
        return max(1, min(len(self._others), 4, (self.width + GAP) // (NARROWEST + GAP)))

    def _card_width(self) -> int:
        columns = self._columns()
        return (self.width - GAP * (columns - 1)) // columns

    def _read(self) -> None:
        self.segments = []


def _answers(n: int) -> str:
    return counted("%Ln answers from one reading of the prompt", "", n)

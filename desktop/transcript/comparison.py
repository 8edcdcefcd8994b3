"""A comparison: several answers to one message, shown side by side as cards. The chat continues with the one that the
user picks."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QPushButton, QWidget

from desktop.platform.number_format import counted, decimal
from desktop.platform.theme import Theme, text_font
from desktop.store.records import ChatMessage
from desktop.transcript.answer_status import StatusOf
from desktop.transcript.inline_images import InlineImageCache
from desktop.transcript.message_controls import MessageCallbacks, MessageControls
from desktop.transcript.message_item import MessageItem, ReadOnlyItem
from desktop.transcript.text_positions import TextSpan

translate = QCoreApplication.translate

GAP = 12
PADDING = 15
HEAD_HEIGHT, FOOT_HEIGHT, ACTIONS_HEIGHT = 34, 34, 36
MIN_CARD_WIDTH = 200
MAX_COLUMNS = 4
_MIDDLE = int(Qt.AlignmentFlag.AlignVCenter)
_MIDDLE_RIGHT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)


class ComparisonItem(MessageItem):
    """The layout of a comparison. `message` is the picked answer, one of `alternatives`. Text in the cards cannot be
    selected. GUI thread only."""

    def __init__(
        self,
        message: ChatMessage,
        alternatives: Sequence[ChatMessage],
        theme: Theme,
        width: int,
        images: InlineImageCache | None = None,
    ) -> None:
        self._alternatives = tuple(alternatives)
        self._cards: dict[str, ReadOnlyItem] = {}
        super().__init__(message, theme, width, images)
        self.show_alternatives(alternatives)

    def show_alternatives(self, alternatives: Sequence[ChatMessage]) -> None:
        """Shows one card per answer, in this order. The card of an answer that has changed is updated."""
        self._alternatives = tuple(alternatives)
        width = self._card_width() - 2 * PADDING
        for each in alternatives:
            card = self._cards.get(each.id)
            if card is None:
                self._cards[each.id] = ReadOnlyItem(each, self._theme, width, self._images)
            elif card.message is not each:
                card.update(each)

    @property
    def is_streaming(self) -> bool:
        return any(each.state == "streaming" for each in self._alternatives)

    @property
    def has_actions(self) -> bool:
        return not self.is_streaming

    @property
    def height(self) -> int:
        bottom = max((box.bottom() + 1 for box in self.boxes()), default=0)
        return bottom + FOOT_HEIGHT + (ACTIONS_HEIGHT if self.has_actions else 0)

    def boxes(self) -> list[QRect]:
        """The rectangles of the cards. All cards in one row have the same height."""
        found: list[QRect] = []
        n_columns, width, top = self._n_columns(), self._card_width(), 0
        for first in range(0, len(self._alternatives), n_columns):
            row = self._alternatives[first : first + n_columns]
            height = max(HEAD_HEIGHT + self._cards[each.id].height + PADDING for each in row)
            found += [QRect(n * (width + GAP), top, width, height) for n in range(len(row))]
            top += height + GAP
        return found

    def cards(self) -> list[tuple[str, QRect]]:
        """The message id and the rectangle of each card."""
        return [(each.id, box) for each, box in zip(self._alternatives, self.boxes(), strict=True)]

    def update(self, message: ChatMessage) -> int:
        self.message = message
        return 0

    def update_status(self, status_of: StatusOf) -> bool:
        # a list, so that all cards are updated: with a generator, any() would stop at the first change
        changed = [card.update_status(status_of) for card in self._cards.values()]
        return any(changed)

    def set_width(self, width: int) -> None:
        self.width = width
        for card in self._cards.values():
            card.set_width(self._card_width() - 2 * PADDING)

    def restyle(self) -> None:
        for card in self._cards.values():
            card.restyle()

    def paint(self, painter: QPainter, area: QRectF, selection: TextSpan | None) -> None:
        for number, (each, box) in enumerate(zip(self._alternatives, self.boxes(), strict=True), start=1):
            self._paint_card(painter, box, number, each)
        top = self.height - FOOT_HEIGHT - (ACTIONS_HEIGHT if self.has_actions else 0)
        painter.setFont(text_font(12))
        painter.setPen(self._theme.colour("muted"))
        painter.drawText(QRect(0, top, self.width, FOOT_HEIGHT), _MIDDLE, self._summary())

    def _paint_card(self, painter: QPainter, box: QRect, number: int, answer: ChatMessage) -> None:
        is_kept = answer.id == self.message.id
        painter.setPen(QPen(self._theme.colour("accent" if is_kept else "line"), 2 if is_kept else 1))
        painter.setBrush(self._theme.colour("surface"))
        painter.drawRoundedRect(QRectF(box).adjusted(1, 1, -1, -1), 12, 12)
        head = QRect(box.left() + PADDING, box.top(), box.width() - 2 * PADDING, HEAD_HEIGHT)
        painter.setFont(text_font(12))
        painter.setPen(self._theme.colour("muted"))
        painter.drawText(head, _MIDDLE, str(number))
        painter.setPen(self._theme.colour("accent" if is_kept else "muted"))
        label = translate("transcript", "kept") if is_kept else translate("transcript", "choose")
        painter.drawText(head, _MIDDLE_RIGHT, label)
        painter.save()
        painter.translate(box.left() + PADDING, box.top() + HEAD_HEIGHT)
        self._cards[answer.id].paint(painter, QRectF(0, 0, box.width(), box.height()), None)
        painter.restore()

    def _summary(self) -> str:
        text = _answer_count(len(self._alternatives))
        took_s = max((each.first_token_s + each.decode_s for each in self._alternatives), default=0.0)
        if self.is_streaming or not took_s:
            return text
        seconds = translate("transcript", "{seconds} s").format(seconds=decimal(took_s))
        return f"{text} · {seconds}"

    def _n_columns(self) -> int:
        return max(1, min(len(self._alternatives), MAX_COLUMNS, (self.width + GAP) // (MIN_CARD_WIDTH + GAP)))

    def _card_width(self) -> int:
        n_columns = self._n_columns()
        return (self.width - GAP * (n_columns - 1)) // n_columns

    def _read(self) -> None:
        """Does nothing, because the cards lay out the text and the item has no segments of its own."""


class ComparisonControls(MessageControls):
    """The buttons of a comparison: one over each card, which picks its answer, and the buttons of the picked answer.
    GUI thread only."""

    def __init__(self, item: ComparisonItem, theme: Theme, parent: QWidget, callbacks: MessageCallbacks) -> None:
        super().__init__(item, theme, parent, callbacks)
        self._comparison = item
        self._cards: dict[str, QPushButton] = {}

    def arrange(self, corner: QPoint, versions: tuple[int, int]) -> None:
        for number, (message_id, box) in enumerate(self._comparison.cards(), start=1):
            card = self._cards.get(message_id) or self._make_card(message_id)
            is_kept = message_id == self._comparison.message.id
            name = (
                translate("transcript", "Answer {n}, kept") if is_kept else translate("transcript", "Keep answer {n}")
            )
            card.setAccessibleName(name.format(n=number))
            card.setGeometry(box.translated(corner))
            card.show()
        super().arrange(corner, versions)

    def _all(self) -> list[QWidget]:
        return [*super()._all(), *self._cards.values()]

    def _make_card(self, message_id: str) -> QPushButton:
        card = QPushButton(self._parent)
        card.setObjectName("answerCard")
        card.setCursor(Qt.CursorShape.PointingHandCursor)
        card.clicked.connect(lambda: self._callbacks.pick(message_id))
        self._cards[message_id] = card
        return card


def _answer_count(n: int) -> str:
    return counted("%Ln answers from one reading of the prompt", "", n)

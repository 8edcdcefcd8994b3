"""A comparison: several answers to one message, shown side by side as cards. The chat continues with the one that the
user picks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QCoreApplication, QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QPushButton, QWidget

from desktop.platform.number_format import counted, decimal
from desktop.platform.theme import Theme, text_font
from desktop.store.records import ChatMessage
from desktop.transcript.answer_status import StatusOf, fitting_stats, note_box, paint_note
from desktop.transcript.buttons import ActionButton, discard
from desktop.transcript.inline_images import InlineImageCache
from desktop.transcript.message_controls import MessageCallbacks, MessageControls
from desktop.transcript.message_item import MessageItem, ReadOnlyItem
from desktop.transcript.strings import ending_note, model_label
from desktop.transcript.text_positions import TextSpan

translate = QCoreApplication.translate

GAP = 12
PADDING = 15
HEAD_HEIGHT, FOOT_HEIGHT, ACTIONS_HEIGHT = 34, 34, 36
MIN_CARD_WIDTH = 200
MAX_COLUMNS = 4
STACKED_WIDTH = 560
"""In a narrower transcript, the answers of different models are below each other."""
STATUS_HEIGHT = 32
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
        self._cards: dict[str, CardItem] = {}
        super().__init__(message, theme, width, images)
        self.show_alternatives(alternatives)

    def show_alternatives(self, alternatives: Sequence[ChatMessage]) -> None:
        """Shows one card per answer, in this order. The card of an answer that has changed is updated."""
        self._alternatives = tuple(alternatives)
        width = self._card_width() - 2 * PADDING
        for each in alternatives:
            card = self._cards.get(each.id)
            if card is None:
                self._cards[each.id] = CardItem(each, self._theme, width, self._images)
            elif card.message is not each:
                card.update(each)

    @property
    def alternatives(self) -> tuple[ChatMessage, ...]:
        return self._alternatives

    @property
    def is_of_models(self) -> bool:
        """Whether the answers are from different models. Each card then shows its model, speed and tokens."""
        return len({(each.model_id, each.host) for each in self._alternatives}) > 1

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
            height = max(HEAD_HEIGHT + self._cards[each.id].height + self._card_foot for each in row)
            found += [QRect(n * (width + GAP), top, width, height) for n in range(len(row))]
            top += height + GAP
        return found

    def status_box(self, card: QRect) -> QRect:
        """The line at the foot of a card with the speed and the tokens of its answer."""
        return QRect(
            card.left() + PADDING, card.bottom() + 1 - STATUS_HEIGHT, card.width() - 2 * PADDING, STATUS_HEIGHT
        )

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
        label = translate("transcript", "kept") if is_kept else translate("transcript", "choose")
        metrics = QFontMetrics(painter.font())
        room = head.width() - metrics.horizontalAdvance(label) - GAP
        title = model_label(answer) if self.is_of_models else str(number)
        painter.drawText(head, _MIDDLE, metrics.elidedText(title, Qt.TextElideMode.ElideMiddle, room))
        painter.setPen(self._theme.colour("accent" if is_kept else "muted"))
        painter.drawText(head, _MIDDLE_RIGHT, label)
        if self.is_of_models:
            self._paint_status(painter, self.status_box(box), answer)
        painter.save()
        painter.translate(box.left() + PADDING, box.top() + HEAD_HEIGHT)
        self._cards[answer.id].paint(painter, QRectF(0, 0, box.width(), box.height()), None)
        painter.restore()

    def _paint_status(self, painter: QPainter, box: QRect, answer: ChatMessage) -> None:
        width = box.width() - (STATUS_HEIGHT if answer.state == "streaming" else 0)
        painter.setPen(self._theme.colour("muted"))
        painter.drawText(box, _MIDDLE, fitting_stats(replace(answer, host=""), self.settings(), width))

    @property
    def _card_foot(self) -> int:
        return STATUS_HEIGHT if self.is_of_models else PADDING

    def _summary(self) -> str:
        if self.is_of_models:
            return _model_count(len(self._alternatives))
        text = _answer_count(len(self._alternatives))
        took_s = max((each.first_token_s + each.decode_s for each in self._alternatives), default=0.0)
        if self.is_streaming or not took_s:
            return text
        seconds = translate("transcript", "{seconds} s").format(seconds=decimal(took_s))
        return f"{text} · {seconds}"

    def _n_columns(self) -> int:
        if self.is_of_models and self.width < STACKED_WIDTH:
            return 1
        return max(1, min(len(self._alternatives), MAX_COLUMNS, (self.width + GAP) // (MIN_CARD_WIDTH + GAP)))

    def _card_width(self) -> int:
        n_columns = self._n_columns()
        return (self.width - GAP * (n_columns - 1)) // n_columns

    def _read(self) -> None:
        """Does nothing, because the cards lay out the text and the item has no segments of its own."""


class CardItem(ReadOnlyItem):
    """The layout of an answer in a card. Its note is shown, for example why it failed."""

    def _paint_end(self, painter: QPainter) -> None:
        super()._paint_end(painter)
        if self.message.state != "streaming":
            paint_note(painter, self._theme, self.message, note_box(self.message, self.width, self._text_bottom))


class ComparisonControls(MessageControls):
    """The buttons of a comparison: one over each card, which picks its answer, a stop button on the card of each model
    that is still answering, and the buttons of the picked answer. GUI thread only."""

    def __init__(self, item: ComparisonItem, theme: Theme, parent: QWidget, callbacks: MessageCallbacks) -> None:
        super().__init__(item, theme, parent, callbacks)
        self._comparison = item
        self._cards: dict[str, QPushButton] = {}
        self._stops: dict[str, ActionButton] = {}

    def arrange(self, corner: QPoint, versions: tuple[int, int]) -> None:
        answers = self._comparison.alternatives
        for number, (answer, (_, box)) in enumerate(zip(answers, self._comparison.cards(), strict=True), start=1):
            card = self._cards.get(answer.id) or self._make_card(answer.id)
            card.setAccessibleName(self._card_name(number, answer))
            if answer.state != "streaming":  # screen readers would read a text again whenever it grows
                card.setAccessibleDescription(answer.text or ending_note(answer))
            card.setGeometry(box.translated(corner))
            card.show()
            self._arrange_stop(answer, self._comparison.status_box(box).translated(corner))
        super().arrange(corner, versions)

    def _card_name(self, number: int, answer: ChatMessage) -> str:
        is_kept = answer.id == self._comparison.message.id
        if self._comparison.is_of_models:
            name = (
                translate("transcript", "Answer of {model}, kept")
                if is_kept
                else translate("transcript", "Keep the answer of {model}")
            )
            return name.format(model=model_label(answer))
        name = translate("transcript", "Answer {n}, kept") if is_kept else translate("transcript", "Keep answer {n}")
        return name.format(n=number)

    def _arrange_stop(self, answer: ChatMessage, status: QRect) -> None:
        """Places the stop button of an answer at the end of its status line, while the answer is being written."""
        if not self._comparison.is_of_models or answer.state != "streaming":
            if (stop := self._stops.pop(answer.id, None)) is not None:
                discard(stop)
            return
        stop = self._stops.get(answer.id) or self._make_stop(answer)
        size = stop.sizeHint()
        stop.setGeometry(status.right() + 7 - size.width(), status.center().y() - size.height() // 2, *size.toTuple())
        stop.show()
        stop.raise_()

    def _make_stop(self, answer: ChatMessage) -> ActionButton:
        name = translate("transcript", "Stop {model}").format(model=model_label(answer))
        stop = ActionButton("circle-stop", name, lambda: self._callbacks.stop(answer.id), self._theme, self._parent)
        self._stops[answer.id] = stop
        return stop

    def _all(self) -> list[QWidget]:
        return [*super()._all(), *self._cards.values(), *self._stops.values()]

    def _make_card(self, message_id: str) -> QPushButton:
        card = QPushButton(self._parent)
        card.setObjectName("answerCard")
        card.setCursor(Qt.CursorShape.PointingHandCursor)
        card.clicked.connect(lambda: self._callbacks.pick(message_id))
        self._cards[message_id] = card
        return card


def _model_count(n: int) -> str:
    return counted("%Ln models, one question", "", n)


def _answer_count(n: int) -> str:
    return counted("%Ln answers from one reading of the prompt", "", n)

"""Picking a word of an answer, by click or by keyboard, to see the alternatives of its tokens."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QPointF, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractScrollArea

from desktop.transcript.column_layout import ColumnLayout
from desktop.transcript.item_cache import ItemCache
from desktop.transcript.message_item import MessageItem
from desktop.transcript.text_positions import SegmentPosition, Word, find_in_source, word_at, words_in

SHORTCUT_MODIFIERS = (
    Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
)

CLICK_MS = 240
"""How long to wait after a click, which may still become a double click."""


class WordPicker(QObject):
    """Marks the word that the user picks, and emits its place in the message. Words of streaming answers cannot be
    picked. GUI thread only."""

    picked = Signal(str, int, int, QRect)
    """A word was picked. Carries the message id, the start and end of the word in the message's source, and the word's
    rectangle on the screen."""
    typed = Signal(str)
    """The user has typed this text while no word was being picked by keyboard."""

    def __init__(self, area: QAbstractScrollArea, column: ColumnLayout, cache: ItemCache, *, enabled: bool) -> None:
        super().__init__(area)
        self._area = area
        self._column = column
        self._cache = cache
        self.enabled = enabled
        """Whether words can be picked at all."""
        self._clicked: tuple[MessageItem, QPointF] | None = None
        self._by_key: tuple[str, list[Word], int] | None = None
        """While a word is being picked by keyboard: the message id, the words of the message, and the number of the
        marked word."""
        self._started_with = ""
        """The character that started picking by keyboard; "" after another key was pressed."""
        self._click_timer = QTimer(self, singleShot=True, interval=CLICK_MS)
        self._click_timer.timeout.connect(self._pick_clicked)

    def can_pick(self, item: MessageItem) -> bool:
        """Whether words of the message can be picked."""
        message = item.message
        return self.enabled and message.role == "assistant" and message.state != "streaming" and bool(item.segments)

    def click(self, item: MessageItem, point: QPointF) -> None:
        """Picks the word at a point, unless the click becomes a double click. The point is relative to the message's
        corner."""
        if self.can_pick(item) and item.is_text(point):
            self._clicked = item, point
            self._click_timer.start()

    def cancel_click(self) -> None:
        self._click_timer.stop()

    def pick_at(self, item: MessageItem, point: QPointF) -> None:
        """Picks the word at a point, if there is one. The point is relative to the message's corner."""
        position = item.position_at(point)
        words = words_in(item.texts())
        number = word_at(words, position.segment, position.offset) if position is not None else None
        if number is not None and item.covers(words[number], point):
            self._pick(item, words, number)

    def clear_mark(self) -> None:
        """Removes the mark of the picked word. Idempotent."""
        self._started_with = ""
        for item in self._cache.items.values():
            item.marked_word = None
        self._area.viewport().update()

    def press_key(self, event: QKeyEvent) -> bool:
        """Handles a key press. Returns False if the key is not handled.

        W marks the last word of the last answer, the arrow keys move the mark, Enter picks the marked word, and Escape
        ends picking. Other text is emitted as `typed`; if only W was pressed before it, W is emitted first."""
        modifiers = event.modifiers() & SHORTCUT_MODIFIERS
        is_character = bool(event.text().strip()) and event.text().isprintable() and not modifiers
        if not is_character:
            return self._press_command(event.key())
        if event.key() == Qt.Key.Key_W and not self._started_with and self._start_by_key():
            self._started_with = event.text()
        else:
            text, self._by_key = self._started_with + event.text(), None
            self.clear_mark()
            self.typed.emit(text)
        return True

    def _press_command(self, key: int) -> bool:
        if self._by_key is None or (item := self._cache.items.get(self._by_key[0])) is None:
            return False
        message_id, words, number = self._by_key
        match key:
            case Qt.Key.Key_Left | Qt.Key.Key_Right:
                number = min(max(0, number + (1 if key == Qt.Key.Key_Right else -1)), len(words) - 1)
                self._by_key = message_id, words, number
                self._mark(item, words[number])
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self._pick(item, words, number)
            case Qt.Key.Key_Escape:
                self._by_key = None
                self.clear_mark()
            case _:
                return False
        return True

    def _start_by_key(self) -> bool:
        for row in reversed(self._column.visible_rows()):
            item = self._column.item(row)
            if self.can_pick(item) and (words := words_in(item.texts())):
                self._by_key = item.message.id, words, len(words) - 1
                self._mark(item, words[-1])
                return True
        return False

    def _pick_clicked(self) -> None:
        if self._clicked is not None:
            self.pick_at(*self._clicked)

    def _pick(self, item: MessageItem, words: Sequence[Word], number: int) -> None:
        span = find_in_source(words, number, item.message.text)
        row = self._column.row_of(item.message.id)
        if span is None or row < 0:
            return
        self._mark(item, words[number])
        box = item.word_box(words[number]).translated(self._column.corner(row))
        box.moveTopLeft(self._area.viewport().mapToGlobal(box.topLeft()))
        self.picked.emit(item.message.id, *span, box)

    def _mark(self, item: MessageItem, word: Word) -> None:
        self.clear_mark()
        item.marked_word = SegmentPosition(word.segment, word.start), SegmentPosition(word.segment, word.end)
        self._area.viewport().update()

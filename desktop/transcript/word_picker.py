"""The page with what one can ask of its words: what else a word could have been, and where a word stands."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from desktop.platform.theme import Theme
from desktop.transcript.column_layout import TOP
from desktop.transcript.find_in_chat import FindBar, matches_in, n_matches, spread
from desktop.transcript.message_item import MessageItem
from desktop.transcript.model_updates import TranscriptPage
from desktop.transcript.place import SegmentPosition
from desktop.transcript.selection import Selection, TextPosition
from desktop.transcript.text_positions import Word, source_of, word_at, words_of

HELD = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier

CLICK_MS = 240
"""A click is a question after a wait in which it could still become a double click."""


class AskingPage(TranscriptPage):
    """GUI thread only. `token_alternatives_requested` is emitted for words of answers that have ended, `typed` with
    what a person writes
    where nothing can be written."""

    typed = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self._selection: Selection | None = None
        self._asked: tuple[MessageItem, QPointF] | None = None
        self._words: tuple[str, list[Word], int] | None = None
        """By key: the message, its words, and the one where one is."""
        self._begun_by = ""
        """The letter that was just typed to begin with them."""
        self.find_bar: FindBar | None = None
        self._counts: list[int] = []
        self._match = -1
        super().__init__(theme, parent)
        self.word_timer = QTimer(self, singleShot=True, interval=CLICK_MS)
        self.word_timer.timeout.connect(self._ask_clicked)
        self.find_bar = FindBar(theme, self)
        self.find_bar.changed.connect(self._look_for)
        self.find_bar.stepped.connect(self._step)
        self.find_bar.closed.connect(self.close_find)

    # Words

    def can_ask(self, item: MessageItem) -> bool:
        return item.message.role == "assistant" and item.message.state != "streaming" and bool(item.segments)

    def ask_soon(self, item: MessageItem, point: QPointF) -> None:
        """The word was clicked, once so far."""
        if self.can_ask(item) and item.is_text(point):
            self._asked = item, point
            self.word_timer.start()

    def _ask_clicked(self) -> None:
        if self._asked is not None:
            self.ask_at(*self._asked)

    def ask_at(self, item: MessageItem, point: QPointF) -> None:
        place = item.position_at(point)
        words = words_of(item.texts())
        number = word_at(words, place.segment, place.position) if place is not None else None
        if number is not None and item.covers(words[number], point):
            self._ask(item, words, number)

    def _ask(self, item: MessageItem, words: Sequence[Word], number: int) -> None:
        span = source_of(words, number, item.message.text)
        row = self._row_of(item.message.id)
        if span is None or row < 0:
            return
        self._mark(item, words[number])
        box = item.word_box(words[number]).translated(self._corner(row))
        box.moveTopLeft(self.viewport().mapToGlobal(box.topLeft()))
        self.token_alternatives_requested.emit(item.message.id, *span, box)

    def _mark(self, item: MessageItem, word: Word) -> None:
        self.clear_word_mark()
        item.word = SegmentPosition(word.segment, word.start), SegmentPosition(word.segment, word.end)
        self.viewport().update()

    def clear_word_mark(self) -> None:
        """No word is marked any more. Idempotent."""
        self._begun_by = ""
        for item in self._items.values():
            item.word = None
        self.viewport().update()

    def take_key(self, event: QKeyEvent) -> bool:
        """W begins with the last word of the last answer, the arrows go from word to word, Enter asks, Escape ends.
        What is typed otherwise is `typed`, with the W before it, which then was the first letter of a message.

        False where the key means nothing here."""
        is_letter = bool(event.text().strip()) and event.text().isprintable() and not event.modifiers() & HELD
        if is_letter and event.key() == Qt.Key.Key_W and not self._begun_by and self._begin_words():
            self._begun_by = event.text()
        elif is_letter:
            text, self._words = self._begun_by + event.text(), None
            self.clear_word_mark()
            self.typed.emit(text)
        else:
            return self._take_word_key(event.key())
        return True

    def _take_word_key(self, key: int) -> bool:
        if self._words is None or (item := self._items.get(self._words[0])) is None:
            return False
        message_id, words, number = self._words
        match key:
            case Qt.Key.Key_Left | Qt.Key.Key_Right:
                number = min(max(0, number + (1 if key == Qt.Key.Key_Right else -1)), len(words) - 1)
                self._words = message_id, words, number
                self._mark(item, words[number])
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self._ask(item, words, number)
            case Qt.Key.Key_Escape:
                self._words = None
                self.clear_word_mark()
            case _:
                return False
        return True

    def _begin_words(self) -> bool:
        for row in reversed(self._seen_rows()):
            item = self._item(row)
            if self.can_ask(item) and (words := words_of(item.texts())):
                self._words = item.message.id, words, len(words) - 1
                self._mark(item, words[-1])
                return True
        return False

    # Finding

    def open_find(self) -> None:
        if self.find_bar is not None:
            self._place_find()
            self.find_bar.show()
            self.find_bar.raise_()
            self.find_bar.edit.setFocus()
            self.find_bar.edit.selectAll()
            self._look_for(self.find_bar.edit.text())

    def close_find(self) -> None:
        if self.find_bar is not None:
            self.find_bar.hide()
            self._look_for("")
            self.setFocus()

    def settled(self) -> None:
        """Marks what is seen."""
        wanted = self._wanted
        for row in self._seen_rows() if wanted or self._counts else ():
            item = self._items.get(self._message(row).id)
            if item is not None:
                item.found = matches_in(item, wanted)
        if wanted:  # words that were just written may complete a match that begins on a line above them
            self.viewport().update()

    @property
    def _wanted(self) -> str:
        return self.find_bar.edit.text() if self.find_bar is not None and self.find_bar.isVisible() else ""

    def _look_for(self, wanted: str) -> None:
        rows = range(len(self._heights))
        self._counts = [n_matches(self._message(row).text, wanted) for row in rows] if wanted else []
        self._match = -1
        for item in self._items.values():
            item.found = matches_in(item, wanted)
        if sum(self._counts):
            before = sum(self._counts[: max(0, self._row_at(0))])
            self._go_to(min(before, sum(self._counts) - 1))
        elif self.find_bar is not None:
            self.find_bar.show_count(0, 0)
        self.viewport().update()

    def _step(self, step: int) -> None:
        if n := sum(self._counts):
            self._go_to((self._match + step) % n)

    def _go_to(self, number: int) -> None:
        row, nth = spread(self._counts, number)
        self._match = number
        message_id = self._message(row).id
        self.show_message(message_id)
        item = self._item(row)
        item.finish()
        shown = matches_in(item, self._wanted)
        if shown:  # Markdown's own marks are counted too, but not drawn
            start, end = shown[min(nth, len(shown) - 1)]
            self._selection = Selection(TextPosition(message_id, start), TextPosition(message_id, end))
            item.show_place(start, end)
            top = item.top_of(start) + self._corner(row).y()
            bar = self.verticalScrollBar()
            if not TOP <= top < self.viewport().height() - 2 * TOP:
                bar.setValue(bar.value() + top - self.viewport().height() // 3)
        if self.find_bar is not None:
            self.find_bar.show_count(number + 1, sum(self._counts))
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_find()

    def _place_find(self) -> None:
        if self.find_bar is not None:
            self.find_bar.adjustSize()
            self.find_bar.move(max(8, self.viewport().width() - self.find_bar.width() - 16), 8)

"""Find in the open chat: a search bar at the top right of the transcript, and highlighted matches in the messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QHBoxLayout, QLabel, QLineEdit, QToolButton, QWidget

from desktop.platform.theme import Theme
from desktop.transcript.column_layout import TOP, ColumnLayout
from desktop.transcript.item_cache import ItemCache
from desktop.transcript.message_item import MessageItem
from desktop.transcript.selection import TextPosition, TextSelection
from desktop.transcript.text_positions import SegmentPosition, TextSpan, Utf16Offsets
from desktop.widgets.text_composition import CompositionGuard

WIDTH = 340


class FindBar(QFrame):
    """The search bar: a text field with its buttons. GUI thread only."""

    changed = Signal(str)
    stepped = Signal(int)
    """The user wants another match: +1 for the next, -1 for the previous one."""
    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("findBar")
        self.setFixedWidth(WIDTH)
        self.edit = _SearchEdit(self)
        self.edit.setPlaceholderText(self.tr("Find in this chat"))
        self.edit.setAccessibleName(self.tr("Find in this chat"))
        self.edit.textChanged.connect(self.changed)
        self.edit.stepped.connect(self.stepped)
        self.edit.cancelled.connect(self.closed)
        self._count = QLabel(self)
        self._count.setObjectName("versions")
        self._buttons = [
            (self._button(self.tr("The one before"), lambda: self.stepped.emit(-1)), "arrow-up"),
            (self._button(self.tr("The next one"), lambda: self.stepped.emit(1)), "arrow-down"),
            (self._button(self.tr("Close"), self.closed.emit), "x"),
        ]
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 6, 6)
        row.setSpacing(2)
        row.addWidget(self.edit, 1)
        row.addWidget(self._count)
        for button, _ in self._buttons:
            row.addWidget(button)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.hide()

    def show_count(self, number: int, n_matches: int) -> None:
        """Shows the number of the current match, from 1, and the number of all matches."""
        if not self.edit.text():
            self._count.setText("")
        elif n_matches:
            self._count.setText(self.tr("{place} of {n}").format(place=number, n=n_matches))
        else:
            self._count.setText(self.tr("nothing"))

    def _button(self, name: str, act: Callable[[], None]) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName("quiet")
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.clicked.connect(act)
        return button

    def _restyle(self) -> None:
        for button, icon in self._buttons:
            button.setIcon(self._theme.icon(icon, "muted"))


class _SearchEdit(QLineEdit):
    stepped = Signal(int)
    cancelled = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        CompositionGuard(self)

    def event(self, event: QEvent) -> bool:
        match event:
            case QKeyEvent() if event.type() == QEvent.Type.ShortcutOverride and event.key() == Qt.Key.Key_Escape:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        back = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        match event.key():
            case Qt.Key.Key_Return | Qt.Key.Key_Enter | Qt.Key.Key_F3:
                self.stepped.emit(-1 if back else 1)
            case Qt.Key.Key_Escape:
                self.cancelled.emit()
            case _:
                super().keyPressEvent(event)


class FindInChat(QObject):
    """Highlights and counts the matches of the text in the search bar, and selects the current match. GUI thread
    only."""

    def __init__(
        self,
        theme: Theme,
        area: QAbstractScrollArea,
        column: ColumnLayout,
        cache: ItemCache,
        selection: TextSelection,
    ) -> None:
        super().__init__(area)
        self.bar = FindBar(theme, area)
        self._area = area
        self._column = column
        self._cache = cache
        self._selection = selection
        self._counts: list[int] = []
        """The number of matches in each row's message."""
        self._current = -1
        self.bar.changed.connect(self._search)
        self.bar.stepped.connect(self._step)
        self.bar.closed.connect(self.close)
        column.settled.connect(self._mark_visible)

    def open(self) -> None:
        """Shows the search bar and gives it the focus. Searches again for the text that is still in the bar."""
        self.place_bar()
        self.bar.show()
        self.bar.raise_()
        self.bar.edit.setFocus()
        self.bar.edit.selectAll()
        self._search(self.bar.edit.text())

    def close(self) -> None:
        self.bar.hide()
        self._search("")
        self._area.setFocus()

    def place_bar(self) -> None:
        """Places the bar after the viewport was resized."""
        self.bar.adjustSize()
        self.bar.move(max(8, self._area.viewport().width() - self.bar.width() - 16), 8)

    @property
    def _query(self) -> str:
        return self.bar.edit.text() if self.bar.isVisible() else ""

    def _mark_visible(self) -> None:
        query = self._query
        for row in self._column.visible_rows() if query or self._counts else ():
            item = self._cache.items.get(self._column.message(row).id)
            if item is not None:
                item.matches = matches_in(item, query)
        if query:  # new text may complete a match that begins above the repainted part
            self._area.viewport().update()

    def _search(self, query: str) -> None:
        rows = range(self._column.n_rows)
        self._counts = [count_matches(self._column.message(row).text, query) for row in rows] if query else []
        self._current = -1
        for item in self._cache.items.values():
            item.matches = matches_in(item, query)
        if n_matches := sum(self._counts):
            n_above = sum(self._counts[: max(0, self._column.row_at(0))])
            self._go_to(min(n_above, n_matches - 1))
        else:
            self.bar.show_count(0, 0)
        self._area.viewport().update()

    def _step(self, step: int) -> None:
        if n_matches := sum(self._counts):
            self._go_to((self._current + step) % n_matches)

    def _go_to(self, number: int) -> None:
        """Selects a match and scrolls it into view. `number` counts the matches of the whole chat from 0."""
        row, nth = locate_match(self._counts, number)
        self._current = number
        self._column.scroll_to(row)
        item = self._column.item(row)
        item.finish()
        matches = matches_in(item, self._query)
        if matches:  # empty if all matches are in Markdown syntax, which is counted but not drawn
            start, end = matches[min(nth, len(matches) - 1)]
            self._selection.select(TextPosition(item.message.id, start), TextPosition(item.message.id, end))
            item.scroll_sideways_to(start, end)
            self._scroll_to_line(item.line_top(start) + self._column.corner(row).y())
        self.bar.show_count(number + 1, sum(self._counts))
        self._area.viewport().update()

    def _scroll_to_line(self, y: int) -> None:
        """Scrolls so that the line at `y` of the viewport becomes visible."""
        bar, height = self._area.verticalScrollBar(), self._area.viewport().height()
        if not TOP <= y < height - 2 * TOP:
            bar.setValue(bar.value() + y - height // 3)


def count_matches(text: str, query: str) -> int:
    """The number of matches in the source of a message. Ignores case."""
    return text.casefold().count(query.casefold()) if query else 0


def matches_in(item: MessageItem, query: str) -> list[TextSpan]:
    """The matches in the drawn text of a message. Ignores case."""
    found: list[TextSpan] = []
    lowered = query.lower()
    for number, text in enumerate(item.texts()) if query else ():
        plain, offsets = text.lower(), Utf16Offsets(text)  # casefold() would change the length of the text
        at = plain.find(lowered)
        while at >= 0:
            end = at + len(query)
            found.append((SegmentPosition(number, offsets.of(at)), SegmentPosition(number, offsets.of(end))))
            at = plain.find(lowered, end)
    return found


def locate_match(counts: Sequence[int], number: int) -> tuple[int, int]:
    """The row of a match, and the number of the match within that row. `number` counts the matches of all rows. Raises
    IndexError."""
    for row, count in enumerate(counts):
        if number < count:
            return row, number
        number -= count
    raise IndexError(number)

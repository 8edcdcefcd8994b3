"""The page that messages stand on. It lays out what is seen, guesses the rest, and never jumps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QModelIndex, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QFontMetricsF,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from desktop.chat.message_list import MessageList, MessageRole
from desktop.store.records import ChatMessage
from desktop.theme import Theme, text_font, zoom
from desktop.transcript.beside import BesideItem
from desktop.transcript.beside_controls import BesideControls
from desktop.transcript.bubble import BubbleItem
from desktop.transcript.controls import MessageControls
from desktop.transcript.editor import EditPlace
from desktop.transcript.heights import Heights
from desktop.transcript.insets import Insets
from desktop.transcript.item import MessageItem, Place
from desktop.transcript.throttle import Throttle
from desktop.transcript.wishes import Wishes

COLUMN = 700
MARGIN = 24
TOP, BOTTOM = 24, 20
REDRAW_MS = 40
NEAR_END = 24
KEPT_ITEMS = 48
"""Messages that stay laid out beyond those that are seen."""


class TranscriptPage(QAbstractScrollArea):
    """Layout and drawing; `TranscriptView` adds what the person does. GUI thread only."""

    # Each names a message by its id.
    retry_asked = Signal(str)
    """Answer once more: a new version beside this one."""
    continue_asked = Signal(str)
    """Go on from where this answer was cut, stopped or ended for length."""
    edited = Signal(str, str)
    """The person wants this message to read so: a new version; a question is then answered anew."""
    version_asked = Signal(str, int)
    """Show the version so many places further, +1 or -1."""
    alternatives_asked = Signal(str)
    """Several answers side by side to the question that this answer answers."""
    picked = Signal(str)
    """Of the answers side by side, this one."""
    delete_asked = Signal(str)
    """Take away this message and what follows it."""
    word_asked = Signal(str, int, int, object)
    """What else could have stood in `text[start:end]` of this answer? The last is the word's QRect on the screen."""

    save_asked = Signal(object)
    """This `Block` of code as a file."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.waiting_text: Callable[[], str] = str
        self._theme = theme
        self._list: MessageList | None = None
        self._heights = Heights()
        self._items: dict[str, MessageItem] = {}
        self._controls: dict[str, MessageControls] = {}
        self._stale: set[str] = set()
        self._follow = True
        self._settling = False
        self._seen_at = 0
        self._editing = EditPlace(self.viewport(), self.edited.emit, self._edit_ended)
        self._top_id = ""
        """The message at the top of what is seen: a branch that holds it too stays where it is."""
        self._top_y = 0
        self._wishes = Wishes(
            self.retry_asked.emit,
            self.continue_asked.emit,
            self.edit,
            self.version_asked.emit,
            self.alternatives_asked.emit,
            self.picked.emit,
            self.delete_asked.emit,
            self._fold,
            self.save_asked.emit,
        )
        self._throttle = Throttle(REDRAW_MS, self._refresh, self)
        self._insets = Insets(QFontMetricsF(text_font(15)).xHeight() / 2 / zoom(), self)
        self._insets.ready.connect(self._draw_insets)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Conversation"))
        self.verticalScrollBar().setSingleStep(48)
        theme.changed.connect(self._restyle)

    def set_list(self, messages: MessageList) -> None:
        self._list = messages
        messages.modelReset.connect(self._reset)
        messages.rowsInserted.connect(self._inserted)
        messages.dataChanged.connect(self._changed)
        self._reset()

    @property
    def messages(self) -> MessageList | None:
        """The list that is shown."""
        return self._list

    @property
    def at_end(self) -> bool:
        bar = self.verticalScrollBar()
        return bar.value() >= bar.maximum() - NEAR_END

    def go_to_end(self) -> None:
        self._follow = True
        self._settle()

    def refresh_waiting(self) -> None:
        """What an answer waits for has changed."""
        self.viewport().update()

    # What is laid out where

    def _column(self) -> tuple[int, int]:
        """Left edge and width of the reading column; it stays where it is when the scroll bar comes or goes."""
        width = max(120, min(COLUMN, self.width() - 2 * MARGIN))
        return (self.width() - width) // 2, width

    def _message(self, row: int) -> ChatMessage:
        if self._list is None:
            raise IndexError(row)
        return self._list[row]

    def _item(self, row: int) -> MessageItem:
        message = self._message(row)
        item = self._items.pop(message.id, None)
        _, width = self._column()
        if item is None:
            item = self._make(message, width)
        elif item.width != width:
            item.set_width(width)
        self._items[message.id] = item  # the most recently used stands last
        return item

    def _make(self, message: ChatMessage, width: int) -> MessageItem:
        item: MessageItem
        if self._list is not None and (others := self._list.alternatives(message.id)):
            item = beside = BesideItem(message, others, self._theme, width, self._insets)
            controls: MessageControls = BesideControls(beside, self._theme, self.viewport(), self._wishes)
        else:
            kind = BubbleItem if message.role == "user" else MessageItem
            item = kind(message, self._theme, width, self._insets)
            controls = MessageControls(item, self._theme, self.viewport(), self._wishes)
        self._controls[message.id] = controls
        return item

    def _guess(self, message: ChatMessage) -> int:
        """A height from the number of letters, good enough for a scroll bar."""
        letters_a_line = max(20, self._column()[1] // 7)
        lines = 1 + message.text.count("\n") + len(message.text) // letters_a_line
        return 24 * lines + (68 if message.role == "user" else 60)

    def _corner(self, row: int) -> QPoint:
        """Where the message's own corner stands in the viewport."""
        above = self._space_above(row)
        return QPoint(self._column()[0], TOP + self._heights.top(row) + above - self.verticalScrollBar().value())

    def _space_above(self, row: int) -> int:
        if row == 0:
            return 0
        return BubbleItem.space_above if self._message(row).role == "user" else MessageItem.space_above

    def _row_at(self, viewport_y: int) -> int:
        return self._heights.row_at(viewport_y + self.verticalScrollBar().value() - TOP)

    def _seen_rows(self) -> range:
        first = self._row_at(0)
        return range(first, self._row_at(self.viewport().height()) + 1) if first >= 0 else range(0)

    def _height(self, row: int) -> int:
        height = self._item(row).height
        if self._editing.message_id == self._message(row).id:
            height = max(height, self._editing.height)
        return height + self._space_above(row)

    def _lay_out_seen(self) -> bool:
        """Makes the heights of what is seen exact; True where something moved."""
        moved = False
        for row in self._seen_rows():
            if not self._heights.is_exact(row):
                moved |= self._heights.put(row, self._height(row))
        return moved

    def _settle(self, anchor: int = -1, anchor_y: int = 0) -> None:
        """Lays out what is seen, and draws it anew."""
        self._lay_out(anchor, anchor_y)
        self.viewport().update()
        self.settled()

    def _lay_out(self, anchor: int, anchor_y: int) -> None:
        """Until nothing moves; row `anchor` keeps its top at `anchor_y` in the viewport."""
        bar = self.verticalScrollBar()
        self._settling = True
        for _ in range(12):  # each round makes at least one more row exact; a screen has few
            bar.setPageStep(self.viewport().height())
            bar.setRange(0, max(0, TOP + self._heights.total + BOTTOM - self.viewport().height()))
            if self._follow:
                bar.setValue(bar.maximum())
            elif anchor >= 0:
                bar.setValue(TOP + self._heights.top(anchor) - anchor_y)
            if not self._lay_out_seen():
                break
        self._settling = False
        self._seen_at = bar.value()
        top, self._top_y = self._hold()
        self._top_id = self._message(top).id if top >= 0 else ""
        self._place_controls()

    def settled(self) -> None:
        """Called after every change of layout or scroll."""

    def _hold(self) -> tuple[int, int]:
        """The first row that is seen, and where its top stands."""
        row = self._row_at(0)
        return row, (TOP + self._heights.top(row) - self.verticalScrollBar().value()) if row >= 0 else 0

    def _place_controls(self) -> None:
        seen = self._seen_rows()
        ids = {self._message(row).id for row in seen}
        for row in seen:
            message_id = self._message(row).id
            if message_id in self._controls:
                self._controls[message_id].arrange(self._corner(row), self._versions(message_id))
        if self._editing.editor is not None:
            row = self._row_of(self._editing.message_id)
            self._editing.move(self._corner(row), self._column()[1]) if row >= 0 else self._editing.close()
        self._forget(ids)

    def _versions(self, message_id: str) -> tuple[int, int]:
        return self._list.versions(message_id) if self._list is not None else (1, 1)

    def _row_of(self, message_id: str) -> int:
        """-1 where it is not shown."""
        rows = range(len(self._heights) - 1, -1, -1)
        return next((row for row in rows if self._message(row).id == message_id), -1)

    def show_message(self, message_id: str) -> None:
        """Brings the message's top into sight."""
        if (row := self._row_of(message_id)) >= 0:
            self._follow = False
            self._settle(row, TOP)

    def edit(self, message_id: str) -> None:
        """Opens the editor in the message's place."""
        if (row := self._row_of(message_id)) >= 0:
            self._editing.open(self._message(row), self._column()[1])
            self._resettle(row)

    def _edit_ended(self, message_id: str) -> None:
        self.setFocus()
        if (row := self._row_of(message_id)) >= 0:
            self._resettle(row)

    def _resettle(self, row: int) -> None:
        """The row has another height; its top stays where it is."""
        top = self._corner(row).y() - self._space_above(row)
        self._heights.doubt(row)
        self._follow = False
        self._settle(row, top)

    def _fold(self, message_id: str) -> None:
        row, item = self._row_of(message_id), self._items.get(message_id)
        if row >= 0 and item is not None:
            item.fold_thoughts()
            self._resettle(row)

    def _forget(self, seen: set[str]) -> None:
        """Drops what was laid out longest ago; hides the buttons of what is not seen."""
        unseen = [message_id for message_id in self._items if message_id not in seen]
        for message_id in unseen[: max(0, len(unseen) - KEPT_ITEMS)]:
            del self._items[message_id]
            self._controls.pop(message_id).drop()
            unseen.remove(message_id)
        for message_id in unseen:
            self._controls[message_id].hide()

    # What the list says

    def _reset(self) -> None:
        for controls in self._controls.values():
            controls.drop()
        self._items.clear()
        self._controls.clear()
        self._stale.clear()
        self._throttle.cancel()
        rows = [self._message(row) for row in range(len(self._list))] if self._list is not None else []
        self._heights.reset([self._guess(message) for message in rows])
        # Another version of the same chat: what was read stays where it is.
        anchor = -1 if not rows or rows[-1].state == "streaming" else self._row_of(self._top_id)
        self._follow = anchor < 0
        self._settle(anchor, self._top_y)

    def _inserted(self, parent: QModelIndex, first: int, last: int) -> None:
        self._heights.insert(first, [self._guess(self._message(row)) for row in range(first, last + 1)])
        self._follow = True
        self._settle()

    def _changed(self, first: QModelIndex, last: QModelIndex, roles: Sequence[int] = ()) -> None:
        for row in range(first.row(), last.row() + 1):
            if MessageRole.ALTERNATIVES in roles:
                self._take_alternatives(row)
            self._stale.add(self._message(row).id)
            if self._message(row).state != "streaming":
                self._announce(self._message(row))
        self._throttle.request()

    def _take_alternatives(self, row: int) -> None:
        message = self._message(row)
        others = self._list.alternatives(message.id) if self._list is not None else ()
        item = self._items.get(message.id)
        if isinstance(item, BesideItem) and others:
            item.show_alternatives(others)
        elif item is not None:  # it becomes an item of the other kind
            del self._items[message.id]
            self._controls.pop(message.id).drop()

    def _refresh(self) -> None:
        """Takes up what has changed since the last time; only open blocks are laid out anew."""
        anchor, anchor_y = self._hold()
        before = self.verticalScrollBar().value()
        changed = self._update_stale()
        self._lay_out(anchor, anchor_y)
        if len(changed) == 1 and self.verticalScrollBar().value() == before:
            # Painting the whole page for each word costs the model as much as a third of its speed on two cores.
            row, top = changed[0]
            self.viewport().update(0, self._corner(row).y() + top, self.viewport().width(), self.viewport().height())
        else:
            self.viewport().update()
        self.settled()

    def _update_stale(self) -> list[tuple[int, int]]:
        """The rows that have changed, each with the place in it from where on it looks different."""
        changed: list[tuple[int, int]] = []
        for row in range(len(self._heights) - 1, -1, -1):
            message = self._message(row)
            if message.id not in self._stale:
                continue
            self._stale.discard(message.id)
            self._heights.doubt(row)
            item = self._items.get(message.id)
            changed.append((row, item.update(message) if item else 0))
            if not self._stale:
                break
        return changed

    def _draw_insets(self) -> None:
        """Formulas and pictures are ready; what is read stays where it is."""
        anchor, anchor_y = self._hold()
        for row in range(len(self._heights)):
            item = self._items.get(self._message(row).id)
            if item is not None and item.take_insets():
                self._heights.doubt(row)
        self._settle(anchor, anchor_y)

    def _announce(self, message: ChatMessage) -> None:
        if QAccessible.isActive() and message.role == "assistant":
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, message.text))

    def _restyle(self) -> None:
        for item in self._items.values():
            item.restyle()
        for controls in self._controls.values():
            controls.restyle()
        self._relay(all_rows=True)

    # What Qt asks for

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._relay(all_rows=event.oldSize().width() != event.size().width())

    def _relay(self, *, all_rows: bool) -> None:
        """Rows have other heights, all of them where that is said; what is read stays where it is."""
        row = self._row_at(0)
        height = self._heights[row] if row >= 0 else 1
        share = (self.verticalScrollBar().value() - TOP - self._heights.top(row)) / max(1, height) if row >= 0 else 0.0
        if all_rows:
            for number in range(len(self._heights)):
                self._heights.doubt(number)
        if row >= 0:
            self._heights.put(row, self._height(row))
            self._settle(row, -round(share * self._heights[row]))
        else:
            self._settle()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        if self._settling:
            return
        self._follow = self.at_end
        value = self.verticalScrollBar().value()
        moved = value - self._seen_at
        # A row that was seen before stays where the scroll puts it; so guesses above it that prove wrong move nothing.
        near = abs(moved) < self.viewport().height()
        anchor = self._heights.row_at((self._seen_at if near else value) - TOP)
        top = TOP + self._heights.top(anchor) if anchor >= 0 else 0
        self._settle(anchor, top - value)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._insets.scale = self.devicePixelRatioF()
            self._draw_insets()
        return super().event(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._insets.scale = self.devicePixelRatioF()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(event.rect(), self._theme.colour("bg"))
        last = self._row_at(event.rect().bottom())
        for row in range(self._row_at(event.rect().top()), last + 1) if last >= 0 else ():
            corner = self._corner(row)
            painter.save()
            painter.translate(corner)
            seen = QRectF(event.rect()).translated(QPointF(-corner.x(), -corner.y()))
            item = self._item(row)
            item.paint(painter, seen, self.selected_in(item.message.id), self.waiting_text())
            painter.restore()

    def selected_in(self, message_id: str) -> tuple[Place, Place] | None:
        """What is selected in a message, the earlier place first."""
        return None

    def viewportSizeHint(self) -> QSize:
        return QSize(COLUMN + 2 * MARGIN, 400)

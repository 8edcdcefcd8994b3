"""The page of messages: it follows its list, and keeps buttons, formulas and an editor beside what it shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QModelIndex, QPoint, QRect, QSize, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QFontMetricsF,
    QShowEvent,
)
from PySide6.QtWidgets import QWidget

from desktop.chat.message_list import MessageList, MessageRole
from desktop.platform.refresh_rate import REDRAW_MS
from desktop.platform.theme import Theme, text_font, zoom
from desktop.render.excerpt import excerpt
from desktop.store.records import ChatMessage
from desktop.transcript.answer_status import STATUS_POLL_MS, WaitStatus
from desktop.transcript.column_layout import BOTTOM, TOP, Column
from desktop.transcript.comparison import ComparisonItem
from desktop.transcript.comparison_controls import ComparisonControls
from desktop.transcript.inline_images import InlineImageCache
from desktop.transcript.message_callbacks import MessageCallbacks
from desktop.transcript.message_controls import MessageControls
from desktop.transcript.message_editor import EditSession
from desktop.transcript.message_item import MessageItem, StatusOf
from desktop.transcript.throttle import Throttle
from desktop.transcript.user_message_item import UserMessageItem

READ_ON_MS = 8
"""Between two parts of a long message: time for what the person does."""
KEPT_ITEMS = 48
"""Messages that stay laid out beyond those that are seen."""


class TranscriptPage(Column):
    """`TranscriptView` adds what the person does. GUI thread only."""

    # Each names a message by its id.
    retry_requested = Signal(str)
    """Answer once more: a new version beside this one."""
    continue_requested = Signal(str)
    """Go on from where this answer was cut, stopped or ended for length."""
    edited = Signal(str, str)
    """The person wants this message to read so: a new version; a question is then answered anew."""
    edit_changed = Signal(str, str)
    """What is typed in place of this message, "" for nothing to keep."""
    version_requested = Signal(str, int)
    """Show the version so many places further, +1 or -1."""
    alternatives_requested = Signal(str)
    """Several answers side by side to the question that this answer answers."""
    picked = Signal(str)
    """Of the answers side by side, this one."""
    delete_requested = Signal(str)
    """Take away this message and what follows it."""
    token_alternatives_requested = Signal(str, int, int, object)
    """What else could have stood in `text[start:end]` of this answer? The last is the word's QRect on the screen."""

    save_requested = Signal(object)
    """This `Block` of code as a file."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._controls: dict[str, MessageControls] = {}
        self._stale: set[str] = set()
        self._editing = EditSession(
            self.viewport(), self.edited.emit, self.edit_changed.emit, self._edit_resized, self._edit_ended
        )
        self.edit_draft: Callable[[str], str] = lambda message_id: ""
        """What was typed in place of a message and not saved."""
        self.n_deleted: Callable[[str], int] = lambda message_id: 0
        """How many messages would go with this one."""
        self._callbacks = MessageCallbacks(
            self.retry_requested.emit,
            self.continue_requested.emit,
            self.edit,
            self.version_requested.emit,
            self.alternatives_requested.emit,
            self.picked.emit,
            self.delete_requested.emit,
            self._fold,
            self._show_more,
            self.save_requested.emit,
            lambda message_id: self.n_deleted(message_id),
        )
        self._throttle = Throttle(REDRAW_MS, self._refresh, self)
        self.wait_status_of: StatusOf = lambda message_id: WaitStatus()
        """What an answer that is being written waits for."""
        self._pulse = QTimer(self, interval=STATUS_POLL_MS)
        self._pulse.timeout.connect(self.refresh_status)
        self._reading = QTimer(self, singleShot=True, interval=READ_ON_MS)
        self._reading.timeout.connect(self._read_on)
        self._inline_images = InlineImageCache(QFontMetricsF(text_font(15)).xHeight() / 2 / zoom(), self)
        self._inline_images.ready.connect(self._draw_insets)
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

    def refresh_status(self) -> None:
        """Shows what the answers in sight wait for now, and looks again as long as any is being written."""
        anchor, anchor_y = self._hold()
        taller = False
        for row in self._seen_rows():
            item = self._items.get(self._message(row).id)
            if item is None or not item.update_status(self.wait_status_of):
                continue
            box = QRect(self._corner(row), QSize(item.width, self._heights[row]))
            if self._heights[row] != self._height(row):
                self._heights.invalidate(row)
                taller = True
            self.viewport().update(box.adjusted(0, 0, 0, item.sign.height))
        if taller:
            self._settle(anchor, anchor_y)
        if not self._any_is_written():
            self._pulse.stop()

    def _any_is_written(self) -> bool:
        rows = range(len(self._list) - 1, -1, -1) if self._list is not None else ()
        return any(self._is_written(self._message(row)) for row in rows)

    def _is_written(self, message: ChatMessage) -> bool:
        """Whether it, or one beside it, is being written."""
        beside = self._list.alternatives(message.id) if self._list is not None else ()
        return any(each.state == "streaming" for each in (message, *beside))

    def _watch_signs(self) -> None:
        if not self._pulse.isActive() and self._any_is_written():
            self._pulse.start()

    def _make(self, message: ChatMessage, width: int) -> MessageItem:
        item: MessageItem
        if self._list is not None and (others := self._list.alternatives(message.id)):
            item = beside = ComparisonItem(message, others, self._theme, width, self._inline_images)
            controls: MessageControls = ComparisonControls(beside, self._theme, self.viewport(), self._callbacks)
        else:
            kind = UserMessageItem if message.role == "user" else MessageItem
            item = kind(message, self._theme, width, self._inline_images, in_steps=True)
            controls = MessageControls(item, self._theme, self.viewport(), self._callbacks)
        self._controls[message.id] = controls
        return item

    def _height(self, row: int) -> int:
        if self._is_edited(row):
            return self._editing.height + self._space_above(row)
        return super()._height(row)

    def _is_painted(self, row: int) -> bool:
        return not self._is_edited(row)

    def _is_edited(self, row: int) -> bool:
        return self._editing.message_id == self._message(row).id

    def _laid_out(self) -> None:
        seen = self._seen_rows()
        ids = {self._message(row).id for row in seen}
        for row in seen:
            message_id = self._message(row).id
            if message_id not in self._controls:
                continue
            if self._is_edited(row):
                self._controls[message_id].hide()
            else:
                self._controls[message_id].arrange(self._corner(row), self._versions(message_id))
        if self._editing.editor is not None:
            row = self._row_of(self._editing.message_id)
            self._editing.move(self._corner(row), self._column()[1]) if row >= 0 else self._editing.close()
        self._forget(ids)
        if any(self._items[each].is_unfinished for each in ids if each in self._items):
            self._reading.start()

    def _read_on(self) -> None:
        """Shows more of the long messages that are seen; what is read stays where it is."""
        anchor, anchor_y = self._hold()
        for row in self._seen_rows():
            item = self._items.get(self._message(row).id)
            if item is not None and item.is_unfinished:
                item.lay_out_more()
                self._heights.invalidate(row)
                break
        self._settle(anchor, anchor_y)

    def _versions(self, message_id: str) -> tuple[int, int]:
        return self._list.versions(message_id) if self._list is not None else (1, 1)

    def show_message(self, message_id: str) -> None:
        """Brings the message's top into sight."""
        if (row := self._row_of(message_id)) >= 0:
            self._follow = False
            self._settle(row, TOP)

    def edit(self, message_id: str) -> None:
        """Opens the editor in the message's place, in sight."""
        if (row := self._row_of(message_id)) >= 0:
            self._editing.open(self._message(row), self._column()[1], self.edit_draft(message_id))
            self._show_editor()

    def _show_editor(self) -> None:
        """Only the end of a long message may be seen, and its editor takes the place of its beginning."""
        row = self._row_of(self._editing.message_id)
        top = self._corner(row).y() - self._space_above(row)
        lowest = self.viewport().height() - self._editing.height - self._space_above(row) - BOTTOM
        self._heights.invalidate(row)
        self._follow = False
        self._settle(row, max(TOP, min(top, lowest)))

    def _edit_resized(self, message_id: str) -> None:
        if (row := self._row_of(message_id)) >= 0:
            self._resettle(row)

    def _open_draft(self) -> None:
        """Goes on with the last edit that was left, without taking the focus."""
        for row in range(len(self._heights) - 1, -1, -1):
            message = self._message(row)
            if self._editing.editor is None and (draft := self.edit_draft(message.id)):
                self._editing.open(message, self._column()[1], draft, focus=False)
                self._heights.invalidate(row)
                self._settle(row, self._corner(row).y() - self._space_above(row))

    def _edit_ended(self, message_id: str, had_focus: bool) -> None:
        if had_focus:
            self.setFocus()
        if (row := self._row_of(message_id)) >= 0:
            self._resettle(row)

    def _resettle(self, row: int) -> None:
        """The row has another height; its top stays where it is."""
        top = self._corner(row).y() - self._space_above(row)
        self._heights.invalidate(row)
        self._follow = False
        self._settle(row, top)

    def _fold(self, message_id: str) -> None:
        row, item = self._row_of(message_id), self._items.get(message_id)
        if row >= 0 and item is not None:
            item.toggle_reasoning()
            self._resettle(row)

    def _show_more(self, message_id: str) -> None:
        row, item = self._row_of(message_id), self._items.get(message_id)
        if row >= 0 and item is not None:
            item.show_more()
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
        self._open_draft()
        self._watch_signs()

    def _inserted(self, parent: QModelIndex, first: int, last: int) -> None:
        self._heights.insert(first, [self._guess(self._message(row)) for row in range(first, last + 1)])
        self._follow = True
        self._settle()
        self._watch_signs()

    def _changed(self, first: QModelIndex, last: QModelIndex, roles: Sequence[int] = ()) -> None:
        for row in range(first.row(), last.row() + 1):
            if MessageRole.ALTERNATIVES in roles:
                self._take_alternatives(row)
            self._stale.add(self._message(row).id)
            if self._message(row).state != "streaming":
                self._announce(self._message(row))
        self._throttle.request()
        self._watch_signs()

    def _take_alternatives(self, row: int) -> None:
        message = self._message(row)
        others = self._list.alternatives(message.id) if self._list is not None else ()
        item = self._items.get(message.id)
        if isinstance(item, ComparisonItem) and others:
            item.show_alternatives(others)
        elif item is not None:  # it becomes an item of the other kind
            del self._items[message.id]
            self._controls.pop(message.id).drop()

    def _refresh(self) -> None:
        """Takes up what has changed since the last time; only open blocks are laid out anew."""
        anchor, anchor_y = self._hold()
        changed = self._update_stale()
        before = [self._corner(row).y() for row, _ in changed]
        self._lay_out(anchor, anchor_y)
        if len(changed) == 1:
            self._draw_below(*changed[0], before[0])
        else:
            self.viewport().update()
        self.settled()

    def _draw_below(self, row: int, top: int, y_before: int) -> None:
        """Draws one row from `top` on, and what follows it; what is above, and has moved with it, is shifted.

        Painting the whole page for each word costs the model as much as a third of its speed on two cores."""
        page, y = self.viewport(), self._corner(row).y()
        seen = max(0, y + top)  # the row may begin above the page
        if y != y_before:
            if not self._shifts_whole_pixels(y - y_before):
                page.update()
                return
            page.scroll(0, y - y_before, page.rect())  # with that rectangle, since the buttons have moved already
        page.update(0, seen, page.width(), page.height() - seen)

    def _shifts_whole_pixels(self, by: int) -> bool:
        """Whether the page begins at a pixel of the screen and moves by some, which a fractional scale factor prevents:
        Qt then shifts what it holds to the nearest pixel, where a repaint would draw it in between."""
        page = self.viewport()
        corner, scale = page.mapTo(page.window(), QPoint(0, 0)), page.devicePixelRatioF()
        return all((scale * length).is_integer() for length in (by, corner.x(), corner.y(), page.height()))

    def _update_stale(self) -> list[tuple[int, int]]:
        """The rows that have changed, each with the place in it from where on it looks different."""
        changed: list[tuple[int, int]] = []
        for row in range(len(self._heights) - 1, -1, -1):
            message = self._message(row)
            if message.id not in self._stale:
                continue
            self._stale.discard(message.id)
            self._heights.invalidate(row)
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
            if item is not None and item.redraw_missing_images():
                self._heights.invalidate(row)
        self._settle(anchor, anchor_y)

    def _announce(self, message: ChatMessage) -> None:
        if QAccessible.isActive() and message.role == "assistant":
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, excerpt(message.text)))

    def _restyle(self) -> None:
        for item in self._items.values():
            item.restyle()
        for controls in self._controls.values():
            controls.restyle()
        self._relay(all_rows=True)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._inline_images.scale = self.devicePixelRatioF()
            self._draw_insets()
        return super().event(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._inline_images.scale = self.devicePixelRatioF()

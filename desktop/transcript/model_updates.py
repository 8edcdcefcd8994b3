"""Applies changes of the message list to the transcript. Of a streaming message, only the changed part is repainted."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QObject, QPoint, Signal
from PySide6.QtWidgets import QAbstractScrollArea

from desktop.chat.message_list import MessageList, MessageRole
from desktop.platform.refresh_rate import REDRAW_MS
from desktop.render.long_text import excerpt
from desktop.store.records import ChatMessage
from desktop.transcript.accessibility import announce
from desktop.transcript.column_layout import ColumnLayout
from desktop.transcript.comparison import ComparisonItem
from desktop.transcript.item_cache import ItemCache
from desktop.transcript.throttle import Throttle


class ModelUpdates(QObject):
    """Updates a `ColumnLayout` when its `MessageList` changes. GUI thread only."""

    was_reset = Signal()
    """The list was reset, for example because another chat is shown."""
    changed = Signal()
    """Messages were added or changed. Changed messages are laid out later, at most once per `REDRAW_MS`."""

    def __init__(self, area: QAbstractScrollArea, column: ColumnLayout, cache: ItemCache) -> None:
        super().__init__(area)
        self.stale: set[str] = set()
        """The ids of messages that have changed and are not laid out again yet."""
        self._area = area
        self._column = column
        self._cache = cache
        self.throttle = Throttle(REDRAW_MS, self.refresh, self)

    def follow(self, messages: MessageList) -> None:
        """Shows the list `messages` and applies its later changes. Called once."""
        self._column.messages = messages
        messages.modelReset.connect(self._reset)
        messages.rowsInserted.connect(self._insert)
        messages.dataChanged.connect(self._change)
        self._reset()

    def refresh(self) -> None:
        """Lays out and repaints the messages that have changed. Blocks that have not changed are not laid out or
        painted again."""
        anchor = self._column.hold()
        changed = self._update_stale()
        tops = [self._column.corner(row).y() for row, _ in changed]
        self._column.lay_out(anchor)
        if len(changed) == 1:
            self._repaint_from(*changed[0], tops[0])
        else:
            self._area.viewport().update()
        self._column.settled.emit()

    def _reset(self) -> None:
        self._cache.clear()
        self.stale.clear()
        self.throttle.cancel()
        self._column.reset()
        self.was_reset.emit()

    def _insert(self, parent: QModelIndex, first: int, last: int) -> None:
        self._column.insert(first, last)
        self.changed.emit()

    def _change(self, first: QModelIndex, last: QModelIndex, roles: Sequence[int] = ()) -> None:
        for row in range(first.row(), last.row() + 1):
            message = self._column.message(row)
            if MessageRole.ALTERNATIVES in roles:
                self._change_alternatives(message)
            self.stale.add(message.id)
            if message.role == "assistant" and message.state != "streaming":
                announce(self._area, excerpt(message.text))
        self.throttle.request()
        self.changed.emit()

    def _change_alternatives(self, message: ChatMessage) -> None:
        alternatives = self._column.messages.alternatives(message.id)
        item = self._cache.items.get(message.id)
        if isinstance(item, ComparisonItem) and alternatives:
            item.show_alternatives(alternatives)
        else:  # a single answer becomes a comparison, or a comparison becomes a single answer
            self._cache.discard(message.id)

    def _update_stale(self) -> list[tuple[int, int]]:
        """Passes the changed messages to their items. Returns their rows, each with the y coordinate in the item from
        which on it looks different."""
        changed: list[tuple[int, int]] = []
        for row in range(self._column.n_rows - 1, -1, -1):
            message = self._column.message(row)
            if message.id not in self.stale:
                continue
            self.stale.discard(message.id)
            self._column.heights.invalidate(row)
            item = self._cache.items.get(message.id)
            changed.append((row, item.update(message) if item else 0))
            if not self.stale:
                break
        return changed

    def _repaint_from(self, row: int, top: int, y_before: int) -> None:
        """Repaints a row from `top` on, and everything below it. Content above `top` that has moved is shifted, not
        repainted.

        Painting the whole viewport for each token slows the model down by up to a third on two cores."""
        viewport, y = self._area.viewport(), self._column.corner(row).y()
        visible = max(0, y + top)  # the top of the row may be above the viewport
        if y != y_before:
            if not self._is_whole_pixels(y - y_before):
                viewport.update()
                return
            # Without the rectangle Qt would also move the child widgets, which are already in their new places.
            viewport.scroll(0, y - y_before, viewport.rect())
        viewport.update(0, visible, viewport.width(), viewport.height() - visible)

    def _is_whole_pixels(self, dy: int) -> bool:
        """Whether scrolling by `dy` shifts the painted viewport by whole device pixels.

        With a fractional scale factor it may not. Qt would then round the shift, and the result would differ from a
        repaint."""
        viewport = self._area.viewport()
        corner, scale = viewport.mapTo(viewport.window(), QPoint(0, 0)), viewport.devicePixelRatioF()
        return all((scale * length).is_integer() for length in (dy, corner.x(), corner.y(), viewport.height()))

"""Layout work that is done later: the rest of long messages, images that become ready, and what an answer waits for."""

from __future__ import annotations

from PySide6.QtCore import QObject, QRect, QSize, QTimer
from PySide6.QtWidgets import QAbstractScrollArea

from desktop.store.records import ChatMessage
from desktop.transcript.answer_status import STATUS_POLL_MS, StatusOf
from desktop.transcript.column_layout import ColumnLayout
from desktop.transcript.item_cache import ItemCache

LAYOUT_STEP_MS = 8
"""Between two steps of the layout of a long message, so that input is handled meanwhile."""


class DeferredLayout(QObject):
    """Extends the layout of visible messages by timers. What is being read stays in place. GUI thread only."""

    def __init__(
        self, area: QAbstractScrollArea, column: ColumnLayout, cache: ItemCache, wait_status_of: StatusOf
    ) -> None:
        """`wait_status_of`: what a streaming answer waits for, by its message id."""
        super().__init__(area)
        self._wait_status_of = wait_status_of
        self._area = area
        self._column = column
        self._cache = cache
        self._status_timer = QTimer(self, interval=STATUS_POLL_MS)
        self._status_timer.timeout.connect(self.refresh_status)
        self._step_timer = QTimer(self, singleShot=True, interval=LAYOUT_STEP_MS)
        self._step_timer.timeout.connect(self.lay_out_more)
        column.laid_out.connect(self._schedule_step)

    def watch_status(self) -> None:
        """Shows what answers wait for, for as long as any is streaming. Idempotent."""
        if not self._status_timer.isActive() and self._is_any_streaming():
            self._status_timer.start()

    def refresh_status(self) -> None:
        """Shows what the visible answers wait for now."""
        anchor = self._column.hold()
        resized = False
        for row in self._column.visible_rows():
            item = self._cache.items.get(self._column.message(row).id)
            if item is None or not item.update_status(self._wait_status_of):
                continue
            height = self._column.heights[row]
            box = QRect(self._column.corner(row), QSize(item.width, height))
            if height != self._column.exact_height(row):
                self._column.heights.invalidate(row)
                resized = True
            self._area.viewport().update(box.adjusted(0, 0, 0, item.status.height))
        if resized:
            self._column.settle(anchor)
        if not self._is_any_streaming():
            self._status_timer.stop()

    def lay_out_more(self) -> None:
        """One step of the first visible message that is not laid out completely."""
        anchor = self._column.hold()
        for row in self._column.visible_rows():
            item = self._cache.items.get(self._column.message(row).id)
            if item is not None and item.is_unfinished:
                item.lay_out_more()
                self._column.heights.invalidate(row)
                break
        self._column.settle(anchor)

    def draw_ready_images(self) -> None:
        """Draws formulas and pictures that have become ready."""
        anchor = self._column.hold()
        for row in range(self._column.n_rows):
            item = self._cache.items.get(self._column.message(row).id)
            if item is not None and item.redraw_missing_images():
                self._column.heights.invalidate(row)
        self._column.settle(anchor)

    def _schedule_step(self) -> None:
        visible = (self._cache.items.get(self._column.message(row).id) for row in self._column.visible_rows())
        if any(item is not None and item.is_unfinished for item in visible):
            self._step_timer.start()

    def _is_any_streaming(self) -> bool:
        rows = range(len(self._column.messages) - 1, -1, -1)
        return any(self._is_streaming(self._column.message(row)) for row in rows)

    def _is_streaming(self, message: ChatMessage) -> bool:
        """Whether the message, or an alternative shown beside it, is streaming."""
        return any(each.state == "streaming" for each in (message, *self._column.messages.alternatives(message.id)))

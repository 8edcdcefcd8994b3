"""Layout of visible messages that is done later, on timers: the rest of long messages, images that become ready, and
what an answer is waiting for."""

from __future__ import annotations

from PySide6.QtCore import QObject, QRect, QSize, QTimer
from PySide6.QtWidgets import QAbstractScrollArea

from desktop.transcript.answer_status import STATUS_POLL_MS, StatusOf
from desktop.transcript.column_layout import ColumnLayout
from desktop.transcript.item_cache import ItemCache

LAYOUT_STEP_MS = 8
"""The pause between two steps of the layout of a long message, in which input is handled."""


class DeferredLayout(QObject):
    """Updates the layout of visible messages on timers. The first visible row does not move. GUI thread only."""

    def __init__(
        self, area: QAbstractScrollArea, column: ColumnLayout, cache: ItemCache, wait_status_of: StatusOf
    ) -> None:
        """`wait_status_of` returns what a streaming answer is waiting for, by its message id."""
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
        """Shows what streaming answers are waiting for, from now until none is streaming. Idempotent."""
        if not self._status_timer.isActive() and self._is_any_streaming():
            self._status_timer.start()

    def refresh_status(self) -> None:
        """Updates what the visible answers are waiting for."""
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
        """Does one step of the layout of the first visible message whose layout is incomplete."""
        anchor = self._column.hold()
        for row in self._column.visible_rows():
            item = self._cache.items.get(self._column.message(row).id)
            if item is not None and item.is_unfinished:
                item.lay_out_more()
                self._column.heights.invalidate(row)
                break
        self._column.settle(anchor)

    def draw_ready_images(self) -> None:
        """Draws the formulas and pictures that have become ready."""
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
        """Whether a message, or an answer shown side by side with one, is streaming."""
        return self._column.messages.is_any_in_state("streaming")

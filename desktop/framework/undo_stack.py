"""The undo stack of the window, for deletions and for moves to the archive.

It is not a QUndoStack, because the undo button in the toast of an earlier deletion undoes that deletion, not the newest
one. A QUndoStack can neither undo an entry other than the newest nor remove one from its middle, and it calls `redo` on
each push."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

if TYPE_CHECKING:
    from desktop.widgets.toast import Toast

UNDO_MS = 8_000
"""How long the toast with the undo button is shown, in milliseconds. The undo shortcut works until the app ends."""
TOPIC = "undo"


class UndoStack(QObject):
    """The operations that can be undone: the newest one by `undo`, and each by the button in its toast. An operation is
    undone at most once. GUI thread only."""

    def __init__(self, toast: Toast) -> None:
        super().__init__(toast)
        self._toast = toast
        self._entries: list[Callable[[], object]] = []

    @property
    def is_empty(self) -> bool:
        return not self._entries

    def push(self, message: str, undo: Callable[[], object]) -> None:
        """Adds an operation, which the function `undo` reverts. Shows `message` in a toast with a button that undoes
        it."""
        self._entries.append(undo)
        self._toast.show_message(
            message, action=self.tr("Undo"), act=lambda: self._undo(undo), for_ms=UNDO_MS, topic=TOPIC
        )

    def remove(self, undo: Callable[[], object]) -> None:
        """Removes an entry without undoing its operation. Used when a newer entry also undoes this operation."""
        if undo in self._entries:
            self._entries.remove(undo)

    def undo(self) -> None:
        """Undoes the newest entry. Does nothing if the stack is empty."""
        if self._entries:
            self._toast.clear(TOPIC)
            self._undo(self._entries[-1])

    def _undo(self, undo: Callable[[], object]) -> None:
        if undo in self._entries:
            self._entries.remove(undo)
            undo()

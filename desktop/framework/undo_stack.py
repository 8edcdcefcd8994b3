"""Deletions and moves to the archive that can be undone: one stack for the whole window.

Not a QUndoStack: that calls `redo` on each push, and can neither remove an entry from its middle nor undo another one
than the newest, which a toast of an earlier deletion does.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from desktop.widgets.toast import Toast

UNDO_MS = 8_000
"""How long the toast offers to undo. The shortcut works as long as the app runs."""
TOPIC = "undo"


class UndoStack(QObject):
    """Each entry is undone once: by its toast, or by `undo`, newest first. GUI thread only."""

    def __init__(self, toast: Toast) -> None:
        super().__init__(toast)
        self._toast = toast
        self._entries: list[Callable[[], object]] = []

    @property
    def is_empty(self) -> bool:
        return not self._entries

    def push(self, message: str, undo: Callable[[], object]) -> None:
        """Adds an entry and shows `message` with a button that undoes it."""
        self._entries.append(undo)
        self._toast.show_message(
            message, action=self.tr("Undo"), act=lambda: self._undo(undo), for_ms=UNDO_MS, topic=TOPIC
        )

    def remove(self, undo: Callable[[], object]) -> None:
        """Removes an entry without undoing it, where a later one includes it."""
        if undo in self._entries:
            self._entries.remove(undo)

    def undo(self) -> None:
        """Undoes the newest entry, if any."""
        if self._entries:
            self._toast.clear(TOPIC)
            self._undo(self._entries[-1])

    def _undo(self, undo: Callable[[], object]) -> None:
        if undo in self._entries:
            self._entries.remove(undo)
            undo()

"""What was deleted or put away, so that it can be brought back: one stack for the whole window."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from desktop.widgets.toast import Toast

UNDO_MS = 8_000
"""How long a toast offers it; the key undoes it as long as the app runs."""
TOPIC = "undo"


class UndoStack(QObject):
    """Each entry is undone once, by its toast or, the newest first, by `undo`. GUI thread only."""

    def __init__(self, toast: Toast) -> None:
        super().__init__(toast)
        self._toast = toast
        self._entries: list[Callable[[], object]] = []

    @property
    def is_empty(self) -> bool:
        return not self._entries

    def offer(self, words: str, undo: Callable[[], object]) -> None:
        """Something was done that `undo` takes back; `words` say what."""
        self._entries.append(undo)
        self._toast.show_message(words, action=self.tr("Undo"), act=lambda: self._undo(undo), for_ms=UNDO_MS, topic=TOPIC)

    def withdraw(self, undo: Callable[[], object]) -> None:
        """It became part of a later entry."""
        if undo in self._entries:
            self._entries.remove(undo)

    def undo(self) -> None:
        """Takes the newest back; nothing where there is none."""
        if self._entries:
            self._toast.clear(TOPIC)
            self._undo(self._entries[-1])

    def _undo(self, undo: Callable[[], object]) -> None:
        if undo in self._entries:
            self._entries.remove(undo)
            undo()

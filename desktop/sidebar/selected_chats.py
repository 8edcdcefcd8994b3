"""Actions on the selected chats, or on the open chat."""

from __future__ import annotations

from PySide6.QtCore import QPoint

from desktop.chat.controller import ChatController
from desktop.sidebar.chat_list_view import ChatListView
from desktop.sidebar.chat_requests import ids_of
from desktop.store.records import Chat


class SelectedChats:
    """Emits the signals of `view.requests` for the chats that `targets` returns. GUI thread only.

    With `chats` None, the open chat is never a target."""

    def __init__(self, view: ChatListView, chats: ChatController | None = None) -> None:
        self._view, self._chats = view, chats

    @property
    def several(self) -> bool:
        """Whether several chats are selected."""
        return len(self._view.selected_chats()) > 1

    def targets(self) -> list[Chat]:
        """Returns the selected chats if several are selected or the list has the focus, otherwise the open chat."""
        selected = self._view.selected_chats()
        current = self._chats.sessions.current if self._chats is not None else None
        if len(selected) > 1 or (selected and self._view.hasFocus()) or current is None:
            return selected
        return [current]

    @property
    def all_pinned(self) -> bool:
        return all(chat.pinned for chat in self.targets())

    @property
    def all_archived(self) -> bool:
        return all(chat.archived for chat in self.targets())

    def pin(self) -> None:
        """Unpins the targets if all are pinned, otherwise pins them."""
        self._view.requests.pin_requested.emit(ids_of(self.targets()), not self.all_pinned)

    def archive(self) -> None:
        """Unarchives the targets if all are archived, otherwise archives them."""
        self._view.requests.archive_requested.emit(ids_of(self.targets()), not self.all_archived)

    def move(self, at: QPoint | None = None) -> None:
        """Opens the menu of folders to which the targets can be moved, at a point of the screen or below the current
        row."""
        self._view.open_folder_menu(self.targets(), at)

    def export(self) -> None:
        self._view.requests.export_several_requested.emit(tuple(self.targets()))

    def delete(self) -> None:
        self._view.requests.delete_requested.emit(ids_of(self.targets()))

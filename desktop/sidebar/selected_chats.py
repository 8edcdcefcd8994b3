"""What is done with the chats that are meant: those that are chosen in the list, where they are
several or one is there, else the one that is open."""

from __future__ import annotations

from PySide6.QtCore import QPoint

from desktop.chat.controller import ChatController
from desktop.sidebar.chat_list_view import ChatListView
from desktop.sidebar.chat_menu import ids_of
from desktop.store.records import Chat


class SelectedChats:
    """Asks `view` for it, as its menu does. GUI thread only."""

    def __init__(self, view: ChatListView, chats: ChatController) -> None:
        self._view, self._chats = view, chats

    @property
    def several(self) -> bool:
        return len(self._view.selected_chats()) > 1

    @property
    def any(self) -> bool:
        return bool(self.meant())

    def meant(self) -> list[Chat]:
        chosen, current = self._view.selected_chats(), self._chats.sessions.current
        if len(chosen) > 1 or (chosen and self._view.hasFocus()) or current is None:
            return chosen
        return [current]

    def pin(self) -> None:
        meant = self.meant()
        self._view.pin_requested.emit(ids_of(meant), not all(chat.pinned for chat in meant))

    def archive(self) -> None:
        meant = self.meant()
        self._view.archive_requested.emit(ids_of(meant), not all(chat.archived for chat in meant))

    def move(self, at: QPoint | None = None) -> None:
        """Opens the menu of folders, at that point of the screen."""
        self._view.open_folder_menu(self.meant(), at)

    def save(self) -> None:
        self._view.save_several_requested.emit(tuple(self.meant()))

    def delete(self) -> None:
        self._view.delete_requested.emit(ids_of(self.meant()))

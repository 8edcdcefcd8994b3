"""Signals for the actions that the user requests in the chat list, its menus and the selection bar."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from desktop.store.records import Chat


class ChatRequests(QObject):
    """Signals that widgets and actions emit, and that `ChatListWiring` carries out. Ids of chats are passed as a tuple
    of str."""

    open_requested = Signal(str)
    pin_requested = Signal(object, bool)
    """Ids of the chats; True to pin, False to unpin them."""
    archive_requested = Signal(object, bool)
    """Ids of the chats; True to archive, False to unarchive them."""
    move_requested = Signal(object, str)
    """Ids of the chats, and the id of the folder to move them to ("" for none)."""
    delete_requested = Signal(object)
    export_requested = Signal(object, str)
    """The `Chat` to export, and a `desktop.import_export.exporter.Format`."""
    export_several_requested = Signal(object)
    """The `Chat`s to export as JSON."""
    new_folder_requested = Signal(object)
    """Ids of the chats to move into the new folder."""
    new_chat_requested = Signal(str)
    """The id of the folder of the new chat, "" for none."""
    fold_requested = Signal(str, bool)
    """The id of a folder; True to hide its chats (fold), False to show them."""
    move_folder_requested = Signal(str, int)
    """The id of a folder, and the number of places to move it down; a negative number moves it up."""
    delete_folder_requested = Signal(str)
    fold_archive_requested = Signal(bool)


def ids_of(chats: Sequence[Chat]) -> tuple[str, ...]:
    return tuple(chat.id for chat in chats)

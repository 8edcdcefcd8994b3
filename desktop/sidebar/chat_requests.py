"""The signals for what the user asks for in the chat list, its menus and the selection bar."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from desktop.store.records import Chat


class ChatRequests(QObject):
    """Emitted by widgets and actions, carried out by `ChatListWiring`. Ids of chats are tuples of str."""

    open_requested = Signal(str)
    pin_requested = Signal(object, bool)
    """Ids of chats; True to pin, False to unpin."""
    archive_requested = Signal(object, bool)
    """Ids of chats; True to archive, False to unarchive."""
    move_requested = Signal(object, str)
    """Ids of chats and the id of the folder, "" for none."""
    delete_requested = Signal(object)
    export_requested = Signal(object, str)
    """A `Chat` and a `desktop.import_export.exporter.Format`."""
    export_several_requested = Signal(object)
    """A sequence of `Chat`s, exported as JSON."""
    new_folder_requested = Signal(object)
    """Ids of the chats to move into it."""
    new_chat_requested = Signal(str)
    """The id of the folder."""
    fold_requested = Signal(str, bool)
    """The id of a folder; True to hide its chats."""
    move_folder_requested = Signal(str, int)
    """The id of a folder and the number of places to move it down."""
    delete_folder_requested = Signal(str)
    fold_archive_requested = Signal(bool)


def ids_of(chats: Sequence[Chat]) -> tuple[str, ...]:
    return tuple(chat.id for chat in chats)

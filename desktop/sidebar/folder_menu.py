"""The menu of folders that chats can be moved to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QMenu

from desktop.platform.text_escaping import button_text
from desktop.platform.theme import Theme
from desktop.sidebar.chat_requests import ChatRequests, ids_of
from desktop.store.records import Chat, Folder

translate = QCoreApplication.translate


def add_folders(
    menu: QMenu, chats: Sequence[Chat], folders: Sequence[Folder], requests: ChatRequests, theme: Theme
) -> None:
    """Adds entries that move the chats to a folder, to a new folder, or out of their folder."""
    ids = ids_of(chats)
    current = {"" if chat.archived else chat.folder_id for chat in chats}
    for folder in folders:
        action = menu.addAction(theme.icon("folder", "muted"), button_text(folder.name))
        action.triggered.connect(partial(requests.move_requested.emit, ids, folder.id))
        action.setEnabled(current != {folder.id})
    if folders:
        menu.addSeparator()
    new = menu.addAction(theme.icon("folder-plus", "muted"), translate("sidebar", "New folder…"))
    new.triggered.connect(partial(requests.new_folder_requested.emit, ids))
    if current & {folder.id for folder in folders}:
        remove = menu.addAction(theme.icon("x", "muted"), translate("sidebar", "Remove from folder"))
        remove.triggered.connect(partial(requests.move_requested.emit, ids, ""))

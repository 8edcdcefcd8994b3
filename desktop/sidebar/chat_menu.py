"""The context menus of chats and folders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtWidgets import QMenu, QWidget

from desktop.platform.number_format import whole
from desktop.platform.text_escaping import button_text
from desktop.platform.theme import Theme
from desktop.sidebar.chat_requests import ChatRequests
from desktop.store.records import Chat, Folder


class ChatMenu(QMenu):
    """Its entries emit signals of `requests`. Deletes itself when it is closed. GUI thread only."""

    def __init__(self, theme: Theme, requests: ChatRequests, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._requests = theme, requests
        self.aboutToHide.connect(self.deleteLater)

    def add_chat(self, chat: Chat, folders: Sequence[Folder]) -> None:
        """Adds the entries for one chat."""
        requests = self._requests
        self._add("pencil", self.tr("Rename"), partial(requests.rename_requested.emit, chat.id))
        self._add_places([chat], folders)
        formats = self._add_submenu("file-output", self.tr("Export as"))
        for file_format, text in (
            ("md", self.tr("Markdown…")),
            ("html", self.tr("Web page…")),
            ("pdf", self.tr("PDF…")),
            ("json", self.tr("JSON with all branches…")),
        ):
            formats.addAction(text).triggered.connect(partial(requests.export_requested.emit, chat, file_format))
        self._add("trash-2", self.tr("Delete"), partial(requests.delete_requested.emit, (chat.id,)))

    def add_chats(self, chats: Sequence[Chat], folders: Sequence[Folder]) -> None:
        """Adds the entries for several selected chats."""
        requests = self._requests
        self.addAction(self.tr("{n} chats").format(n=whole(len(chats)))).setEnabled(False)
        self.addSeparator()
        self._add_places(chats, folders)
        export = partial(requests.export_several_requested.emit, tuple(chats))
        self._add("file-output", self.tr("Export as JSON…"), export)
        self._add("trash-2", self.tr("Delete"), partial(requests.delete_requested.emit, ids_of(chats)))

    def add_folders(self, chats: Sequence[Chat], folders: Sequence[Folder], menu: QMenu | None = None) -> None:
        """Adds the folders that the chats can be moved to; to `menu`, or to this one."""
        menu, requests, ids = menu or self, self._requests, ids_of(chats)
        current = {"" if chat.archived else chat.folder_id for chat in chats}
        for folder in folders:
            action = menu.addAction(self._theme.icon("folder", "muted"), button_text(folder.name))
            action.triggered.connect(partial(requests.move_requested.emit, ids, folder.id))
            action.setEnabled(current != {folder.id})
        if folders:
            menu.addSeparator()
        new = menu.addAction(self._theme.icon("folder-plus", "muted"), self.tr("New folder…"))
        new.triggered.connect(partial(requests.new_folder_requested.emit, ids))
        if current & {folder.id for folder in folders}:
            remove = menu.addAction(self._theme.icon("x", "muted"), self.tr("Remove from folder"))
            remove.triggered.connect(partial(requests.move_requested.emit, ids, ""))

    def add_folder(self, folder: Folder, n_folders: int) -> None:
        """Adds the entries for a folder, one of `n_folders`."""
        requests, folder_id = self._requests, folder.id
        self._add("square-pen", self.tr("New chat here"), partial(requests.new_chat_requested.emit, folder_id))
        self._add("pencil", self.tr("Rename"), partial(requests.rename_folder_requested.emit, folder_id))
        icon, text = ("folder-open", self.tr("Unfold")) if folder.folded else ("folder", self.tr("Fold"))
        self._add(icon, text, partial(requests.fold_requested.emit, folder_id, not folder.folded))
        if n_folders > 1:
            self._add("arrow-up", self.tr("Move up"), partial(requests.move_folder_requested.emit, folder_id, -1))
            self._add("arrow-down", self.tr("Move down"), partial(requests.move_folder_requested.emit, folder_id, 1))
        self._add("trash-2", self.tr("Delete the folder"), partial(requests.delete_folder_requested.emit, folder_id))
        self.addSeparator()
        self.add_new_folder()

    def add_new_folder(self) -> None:
        self._add("folder-plus", self.tr("New folder"), partial(self._requests.new_folder_requested.emit, ()))

    def _add_places(self, chats: Sequence[Chat], folders: Sequence[Folder]) -> None:
        """Adds pin, move and archive."""
        ids, requests = ids_of(chats), self._requests
        archived = all(chat.archived for chat in chats)
        if not archived:
            pinned = all(chat.pinned for chat in chats)
            icon, text = ("pin-off", self.tr("Unpin")) if pinned else ("pin", self.tr("Pin"))
            self._add(icon, text, partial(requests.pin_requested.emit, ids, not pinned))
            self.add_folders(chats, folders, self._add_submenu("folder", self.tr("Move to")))
        icon, text = ("archive-restore", self.tr("Unarchive")) if archived else ("archive", self.tr("Archive"))
        self._add(icon, text, partial(requests.archive_requested.emit, ids, not archived))

    def _add(self, icon: str, text: str, on_trigger: Callable[[], object]) -> None:
        self.addAction(self._theme.icon(icon, "muted"), text).triggered.connect(lambda: on_trigger())

    def _add_submenu(self, icon: str, text: str) -> QMenu:
        menu = QMenu(text, self)
        menu.setIcon(self._theme.icon(icon, "muted"))
        self.addMenu(menu)
        return menu


def ids_of(chats: Sequence[Chat]) -> tuple[str, ...]:
    return tuple(chat.id for chat in chats)

"""What one can do with chats and folders, as menus."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu

from desktop.platform.number_format import whole
from desktop.platform.text_escaping import button_text
from desktop.platform.theme import Theme
from desktop.store.records import Chat, Folder

if TYPE_CHECKING:
    from desktop.sidebar.chat_list_view import ChatListView


class ChatMenu(QMenu):
    """Offers what `view` can ask for, and asks for it. Goes when it is closed. GUI thread only."""

    def __init__(self, theme: Theme, view: ChatListView) -> None:
        super().__init__(view)
        self._theme = theme
        self._view = view
        self.aboutToHide.connect(self.deleteLater)

    def offer_one(self, chat: Chat, folders: Sequence[Folder]) -> None:
        view = self._view
        self._add("pencil", self.tr("Rename"), partial(view.rename, chat.id))
        if not chat.archived:
            self._add_pin([chat])
            self.offer_folders([chat], folders, self._submenu("folder", self.tr("Move to")))
        self._add_archive([chat])
        saves = self._submenu("file-output", self.tr("Save as"))
        for form, words in (
            ("md", self.tr("Markdown…")),
            ("html", self.tr("Web page…")),
            ("pdf", self.tr("PDF…")),
            ("json", self.tr("Everything, as JSON…")),
        ):
            saves.addAction(words).triggered.connect(partial(view.save_requested.emit, chat, form))
        self._add("trash-2", self.tr("Delete"), partial(view.delete_requested.emit, (chat.id,)))

    def offer_several(self, chats: Sequence[Chat], folders: Sequence[Folder]) -> None:
        view = self._view
        self.addAction(self.tr("{n} chats").format(n=whole(len(chats)))).setEnabled(False)
        self.addSeparator()
        if not all(chat.archived for chat in chats):
            self._add_pin(chats)
            self.offer_folders(chats, folders, self._submenu("folder", self.tr("Move to")))
        self._add_archive(chats)
        self._add("file-output", self.tr("Save as JSON…"), partial(view.save_several_requested.emit, tuple(chats)))
        self._add("trash-2", self.tr("Delete"), partial(view.delete_requested.emit, ids_of(chats)))

    def offer_folders(self, chats: Sequence[Chat], folders: Sequence[Folder], menu: QMenu | None = None) -> None:
        """Where the chats can be put; in `menu`, or in this one."""
        menu, view, ids = menu or self, self._view, ids_of(chats)
        places = {"" if chat.archived else chat.folder_id for chat in chats}
        for folder in folders:
            action = menu.addAction(self._theme.icon("folder", "muted"), button_text(folder.name))
            action.triggered.connect(partial(view.move_requested.emit, ids, folder.id))
            action.setEnabled(places != {folder.id})
        if folders:
            menu.addSeparator()
        new = menu.addAction(self._theme.icon("folder-plus", "muted"), self.tr("New folder…"))
        new.triggered.connect(partial(view.folder_requested.emit, ids))
        if places & {folder.id for folder in folders}:
            out = menu.addAction(self._theme.icon("x", "muted"), self.tr("Out of its folder"))
            out.triggered.connect(partial(view.move_requested.emit, ids, ""))

    def offer_folder(self, folder: Folder, n_folders: int) -> None:
        view = self._view
        self._add("square-pen", self.tr("New chat here"), partial(view.chat_in_folder_requested.emit, folder.id))
        self._add("pencil", self.tr("Rename"), partial(view.rename_folder, folder.id))
        fold = self.tr("Unfold") if folder.folded else self.tr("Fold")
        icon = "folder-open" if folder.folded else "folder"
        self._add(icon, fold, partial(view.fold_requested.emit, folder.id, not folder.folded))
        if n_folders > 1:
            self._add("arrow-up", self.tr("Move up"), partial(view.folder_step_requested.emit, folder.id, -1))
            self._add("arrow-down", self.tr("Move down"), partial(view.folder_step_requested.emit, folder.id, 1))
        self._add("trash-2", self.tr("Delete the folder"), partial(view.folder_delete_requested.emit, folder.id))
        self.addSeparator()
        self.offer_new_folder()

    def offer_new_folder(self) -> None:
        self._add("folder-plus", self.tr("New folder"), partial(self._view.folder_requested.emit, ()))

    def _add_pin(self, chats: Sequence[Chat]) -> None:
        pinned = all(chat.pinned for chat in chats)
        icon, words = ("pin-off", self.tr("Unpin")) if pinned else ("pin", self.tr("Pin"))
        self._add(icon, words, partial(self._view.pin_requested.emit, ids_of(chats), not pinned))

    def _add_archive(self, chats: Sequence[Chat]) -> None:
        away = all(chat.archived for chat in chats)
        icon, words = ("archive-restore", self.tr("Bring back")) if away else ("archive", self.tr("Archive"))
        self._add(icon, words, partial(self._view.archive_requested.emit, ids_of(chats), not away))

    def _add(self, icon: str, words: str, act: partial[None]) -> None:
        self.addAction(self._theme.icon(icon, "muted"), words).triggered.connect(lambda: act())

    def _submenu(self, icon: str, words: str) -> QMenu:
        menu = QMenu(words, self)
        menu.setIcon(self._theme.icon(icon, "muted"))
        self.addMenu(menu)
        return menu


def ids_of(chats: Sequence[Chat]) -> tuple[str, ...]:
    return tuple(chat.id for chat in chats)

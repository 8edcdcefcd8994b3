"""Actions on the chats and folders of the chat list, for its context menus, the command palette and shortcuts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QMenu

from desktop.chat.controller import ChatController
from desktop.framework.actions import Action, Submenu, Text
from desktop.framework.app_window import AppWindow
from desktop.sidebar.chat_list_view import ChatListView
from desktop.sidebar.chat_sections import Section
from desktop.sidebar.folder_menu import add_folders
from desktop.sidebar.selected_chats import SelectedChats
from desktop.store.records import Folder

translate = QCoreApplication.translate


class ChatListActions:
    """Creates the actions on the chats and folders of a chat list. GUI thread only."""

    def __init__(self, window: AppWindow, view: ChatListView, chats: ChatController) -> None:
        self._window, self._view, self._chats = window, view, chats
        self._requests = view.requests
        self._selected = SelectedChats(view, chats)
        """Chats that the command palette and shortcuts act on: the selected chats, or the open one."""
        self._in_menu = SelectedChats(view)
        """Chats that the context menu acts on."""

    def all(self) -> list[Action | Submenu]:
        return [*self._selection(), *self._chat_menu(), *self._export_menu(), *self._folder_menu()]

    def _selection(self) -> list[Action]:
        selected = self._selected
        of_one = partial(Action, is_possible=lambda: bool(selected.targets()))
        of_several = partial(Action, is_possible=lambda: selected.several)
        archive_one = translate("actions", "Archive or unarchive this chat")
        archive_several = translate("actions", "Archive or unarchive the selected chats")
        any_chat = partial(Action, is_possible=lambda: bool(self._chats.sessions.chats_by_id))
        any_archived = partial(Action, is_possible=lambda: self._view.chats.index_of_section(Section.ARCHIVE).isValid())
        return [
            of_one("archive_chat", archive_one, selected.archive, "Ctrl+Shift+E"),
            of_one("move_chat", translate("actions", "Move this chat to a folder…"), selected.move, "Ctrl+Shift+M"),
            any_chat("choose_all", translate("actions", "Select all chats"), self._select_all),
            of_several("pin_chosen", translate("actions", "Pin or unpin the selected chats"), selected.pin),
            of_several("move_chosen", translate("actions", "Move the selected chats to a folder…"), selected.move),
            of_several("archive_chosen", archive_several, selected.archive),
            of_several("save_chosen", translate("actions", "Export the selected chats as JSON…"), selected.export),
            of_several("delete_chosen", translate("actions", "Delete the selected chats"), selected.delete),
            any_archived("go_archive", translate("actions", "Go to the archive"), self._go_to_archive),
        ]

    def _chat_menu(self) -> list[Action | Submenu]:
        """Returns the entries of the context menu "chats", for one or several selected chats."""
        chats = self._in_menu
        pin, unpin = translate("actions", "Pin"), translate("actions", "Unpin")
        archive, unarchive = translate("actions", "Archive"), translate("actions", "Unarchive")
        entry = partial(Action, menu="chats", is_listed=False)
        submenu = partial(Submenu, menu="chats")

        def is_one() -> bool:
            return not chats.several

        def can_be_placed() -> bool:
            return not chats.all_archived

        def pin_icon() -> str:
            return "pin-off" if chats.all_pinned else "pin"

        def archive_icon() -> str:
            return "archive-restore" if chats.all_archived else "archive"

        return [
            entry("rename_in_list", translate("actions", "Rename"), self._rename, icon="pencil", is_possible=is_one),
            entry(
                "pin_in_list", pin, chats.pin, icon=pin_icon, is_possible=can_be_placed,
                label=lambda: unpin if chats.all_pinned else pin,
            ),
            submenu(
                "move_to", translate("actions", "Move to"), icon="folder", fill=self._fill_folders,
                is_possible=can_be_placed,
            ),
            entry(
                "archive_in_list", archive, chats.archive, icon=archive_icon,
                label=lambda: unarchive if chats.all_archived else archive,
            ),
            submenu("export_as", translate("actions", "Export as"), icon="file-output", is_possible=is_one),
            entry(
                "export_in_list", translate("actions", "Export as JSON…"), chats.export, icon="file-output",
                is_possible=lambda: chats.several,
            ),
            entry("delete_in_list", translate("actions", "Delete"), chats.delete, icon="trash-2"),
        ]  # fmt: skip

    def _export_menu(self) -> list[Action]:
        def entry(suffix: str, name: str) -> Action:
            return Action(f"export_{suffix}", name, partial(self._export, suffix), menu="export_as", is_listed=False)

        return [
            entry("md", translate("actions", "Markdown…")),
            entry("html", translate("actions", "Web page…")),
            entry("pdf", translate("actions", "PDF…")),
            entry("json", translate("actions", "JSON with all branches…")),
        ]

    def _folder_menu(self) -> list[Action]:
        """Returns the entries of two context menus: "folder", for the folder in the current row, and "new_folder"."""
        fold, unfold = translate("actions", "Fold"), translate("actions", "Unfold")

        def is_folded() -> bool:
            return self._view.folder is not None and self._view.folder.folded

        def label() -> str:
            return unfold if is_folded() else fold

        def icon() -> str:
            return "folder-open" if is_folded() else "folder"

        def new_folder() -> None:
            self._requests.new_folder_requested.emit(())

        entry, requests = self._folder_entry, self._requests
        new = partial(Action, menu="new_folder", icon="folder-plus")
        here, rename = translate("actions", "New chat here"), translate("actions", "Rename")
        up, down = translate("actions", "Move up"), translate("actions", "Move down")
        return [
            new("new_folder", translate("actions", "New folder"), new_folder, "Ctrl+Shift+N"),
            entry(
                "new_chat_in_folder", translate("actions", "New chat in this folder"), here, "square-pen",
                lambda folder: requests.new_chat_requested.emit(folder.id),
            ),
            entry("rename_folder", translate("actions", "Rename this folder"), rename, "pencil", self._rename_folder),
            entry(
                "fold_folder", translate("actions", "Fold or unfold this folder"), label, icon,
                lambda folder: requests.fold_requested.emit(folder.id, not folder.folded),
            ),
            entry(
                "folder_up", translate("actions", "Move this folder up"), up, "arrow-up",
                lambda folder: requests.move_folder_requested.emit(folder.id, -1), n_folders=2,
            ),
            entry(
                "folder_down", translate("actions", "Move this folder down"), down, "arrow-down",
                lambda folder: requests.move_folder_requested.emit(folder.id, 1), n_folders=2,
            ),
            entry(
                "delete_folder", translate("actions", "Delete this folder"), translate("actions", "Delete the folder"),
                "trash-2", lambda folder: requests.delete_folder_requested.emit(folder.id),
            ),
        ]  # fmt: skip

    def _folder_entry(
        self, id: str, name: str, label: Text, icon: Text, run: Callable[[Folder], object], n_folders: int = 1
    ) -> Action:
        """Returns an action on the folder in the current row. The action is possible if there are at least `n_folders`
        folders."""

        def run_on_folder() -> None:
            if (folder := self._view.folder) is not None:
                run(folder)

        def is_possible() -> bool:
            return self._view.folder is not None and len(self._view.chats.folders) >= n_folders

        return Action(id, name, run_on_folder, menu="folder", label=label, icon=icon, is_possible=is_possible)

    def _select_all(self) -> None:
        self._window.show_chat_list()
        self._view.selectAll()

    def _go_to_archive(self) -> None:
        self._window.show_chat_list()
        self._requests.fold_archive_requested.emit(False)
        index = self._view.chats.index_of_section(Section.ARCHIVE)
        self._view.go_to(index)
        self._view.scrollTo(index, self._view.ScrollHint.PositionAtTop)

    def _rename(self) -> None:
        self._view.rename(self._in_menu.targets()[0].id)

    def _rename_folder(self, folder: Folder) -> None:
        self._window.show_chat_list()
        self._view.rename_folder(folder.id)

    def _export(self, suffix: str) -> None:
        self._requests.export_requested.emit(self._in_menu.targets()[0], suffix)

    def _fill_folders(self, menu: QMenu) -> None:
        add_folders(menu, self._in_menu.targets(), self._view.chats.folders, self._requests, self._view.theme)

"""Actions on the chats and folders of the list: for its context menus, the selection bar, the palette and shortcuts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QMenu

from desktop.chat.controller import ChatController
from desktop.framework.actions import Action, Submenu
from desktop.framework.app_window import AppWindow
from desktop.sidebar.chat_list_view import ChatListView
from desktop.sidebar.chat_sections import Section
from desktop.sidebar.folder_menu import add_folders
from desktop.sidebar.selected_chats import SelectedChats
from desktop.store.records import Folder

translate = QCoreApplication.translate


def chat_list_actions(window: AppWindow, view: ChatListView, chats: ChatController) -> list[Action | Submenu]:
    """GUI thread."""
    return [
        *_selection_actions(window, view, SelectedChats(view, chats), chats),
        *_chat_menu(view),
        _go_to_archive(window, view),
        *_folder_menu(window, view),
    ]


def _selection_actions(
    window: AppWindow, view: ChatListView, selected: SelectedChats, chats: ChatController
) -> list[Action]:
    """Actions of the selection bar and the palette on the selected chats, or on the open one."""

    def select_all() -> None:
        window.show_chat_list()
        view.selectAll()

    of_one = partial(Action, is_possible=lambda: bool(selected.targets()))
    of_several = partial(Action, is_possible=lambda: selected.several)
    any_chat = partial(Action, is_possible=lambda: bool(chats.sessions.chats_by_id))
    return [
        of_one(
            "archive_chat", translate("actions", "Archive or unarchive this chat"), selected.archive, "Ctrl+Shift+E"
        ),
        of_one("move_chat", translate("actions", "Move this chat to a folder…"), selected.move, "Ctrl+Shift+M"),
        any_chat("choose_all", translate("actions", "Select all chats"), select_all),
        of_several("pin_chosen", translate("actions", "Pin or unpin the selected chats"), selected.pin),
        of_several("move_chosen", translate("actions", "Move the selected chats to a folder…"), selected.move),
        of_several("archive_chosen", translate("actions", "Archive or unarchive the selected chats"), selected.archive),
        of_several("save_chosen", translate("actions", "Export the selected chats as JSON…"), selected.export),
        of_several("delete_chosen", translate("actions", "Delete the selected chats"), selected.delete),
    ]


def _chat_menu(view: ChatListView) -> list[Action | Submenu]:
    """The context menu "chats" of one or several selected chats."""
    selected, requests = SelectedChats(view), view.requests
    pin, unpin = translate("actions", "Pin"), translate("actions", "Unpin")
    archive, unarchive = translate("actions", "Archive"), translate("actions", "Unarchive")
    json, several_as_json = translate("actions", "JSON with all branches…"), translate("actions", "Export as JSON…")

    def rename() -> None:
        view.rename(selected.targets()[0].id)

    def export(suffix: str) -> None:
        requests.export_requested.emit(selected.targets()[0], suffix)

    def fill_folders(menu: QMenu) -> None:
        add_folders(menu, selected.targets(), view.chats.folders, requests, view.theme)

    of_any = partial(Action, menu="chats", is_listed=False)
    of_one = partial(of_any, is_possible=lambda: not selected.several)
    of_several = partial(of_any, is_possible=lambda: selected.several)
    unless_archived = partial(of_any, is_possible=lambda: not selected.all_archived)
    export_as = partial(Action, menu="export_as", is_listed=False)
    return [
        of_one("rename_in_list", translate("actions", "Rename"), rename, icon="pencil"),
        unless_archived(
            "pin_in_list",
            pin,
            selected.pin,
            label=lambda: unpin if selected.all_pinned else pin,
            icon=lambda: "pin-off" if selected.all_pinned else "pin",
        ),
        Submenu(
            "move_to",
            translate("actions", "Move to"),
            "chats",
            "folder",
            fill_folders,
            is_possible=lambda: not selected.all_archived,
        ),
        of_any(
            "archive_in_list",
            archive,
            selected.archive,
            label=lambda: unarchive if selected.all_archived else archive,
            icon=lambda: "archive-restore" if selected.all_archived else "archive",
        ),
        Submenu(
            "export_as",
            translate("actions", "Export as"),
            "chats",
            "file-output",
            is_possible=lambda: not selected.several,
        ),
        export_as("export_md", translate("actions", "Markdown…"), partial(export, "md")),
        export_as("export_html", translate("actions", "Web page…"), partial(export, "html")),
        export_as("export_pdf", translate("actions", "PDF…"), partial(export, "pdf")),
        export_as("export_json", json, partial(export, "json")),
        of_several("export_in_list", several_as_json, selected.export, icon="file-output"),
        of_any("delete_in_list", translate("actions", "Delete"), selected.delete, icon="trash-2"),
    ]


def _go_to_archive(window: AppWindow, view: ChatListView) -> Action:
    def go() -> None:
        window.show_chat_list()
        view.requests.fold_archive_requested.emit(False)
        index = view.chats.index_of_section(Section.ARCHIVE)
        view.go_to(index)
        view.scrollTo(index, view.ScrollHint.PositionAtTop)

    def is_possible() -> bool:
        return view.chats.index_of_section(Section.ARCHIVE).isValid()

    return Action("go_archive", translate("actions", "Go to the archive"), go, is_possible=is_possible)


def _folder_menu(window: AppWindow, view: ChatListView) -> list[Action]:
    """The context menu "folder" of the folder in the current row, and the menu "new_folder"."""
    requests = view.requests
    fold, unfold = translate("actions", "Fold"), translate("actions", "Unfold")

    def on_folder(run: Callable[[Folder], object]) -> Callable[[], None]:
        def run_on_folder() -> None:
            if (folder := view.folder) is not None:
                run(folder)

        return run_on_folder

    def is_folded() -> bool:
        return view.folder is not None and view.folder.folded

    def rename(folder: Folder) -> None:
        window.show_chat_list()
        view.rename_folder(folder.id)

    def new_chat(folder: Folder) -> None:
        requests.new_chat_requested.emit(folder.id)

    def toggle(folder: Folder) -> None:
        requests.fold_requested.emit(folder.id, not folder.folded)

    def move(step: int, folder: Folder) -> None:
        requests.move_folder_requested.emit(folder.id, step)

    def delete(folder: Folder) -> None:
        requests.delete_folder_requested.emit(folder.id)

    def new_folder() -> None:
        requests.new_folder_requested.emit(())

    of_folder = partial(Action, menu="folder", is_possible=lambda: view.folder is not None)
    of_several = partial(of_folder, is_possible=lambda: view.folder is not None and len(view.chats.folders) > 1)
    new = partial(Action, menu="new_folder", icon="folder-plus")
    return [
        new("new_folder", translate("actions", "New folder"), new_folder, "Ctrl+Shift+N"),
        of_folder(
            "new_chat_in_folder",
            translate("actions", "New chat in this folder"),
            on_folder(new_chat),
            label=translate("actions", "New chat here"),
            icon="square-pen",
        ),
        of_folder(
            "rename_folder",
            translate("actions", "Rename this folder"),
            on_folder(rename),
            label=translate("actions", "Rename"),
            icon="pencil",
        ),
        of_folder(
            "fold_folder",
            translate("actions", "Fold or unfold this folder"),
            on_folder(toggle),
            label=lambda: unfold if is_folded() else fold,
            icon=lambda: "folder-open" if is_folded() else "folder",
        ),
        of_several(
            "folder_up",
            translate("actions", "Move this folder up"),
            on_folder(partial(move, -1)),
            label=translate("actions", "Move up"),
            icon="arrow-up",
        ),
        of_several(
            "folder_down",
            translate("actions", "Move this folder down"),
            on_folder(partial(move, 1)),
            label=translate("actions", "Move down"),
            icon="arrow-down",
        ),
        of_folder(
            "delete_folder",
            translate("actions", "Delete this folder"),
            on_folder(delete),
            label=translate("actions", "Delete the folder"),
            icon="trash-2",
        ),
    ]

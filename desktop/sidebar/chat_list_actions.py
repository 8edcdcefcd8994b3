"""Actions on chats, folders and the archive, for the command palette and shortcuts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QCoreApplication

from desktop.chat.controller import ChatController
from desktop.framework.actions import Action
from desktop.framework.app_window import AppWindow
from desktop.sidebar.chat_list_view import ChatListView
from desktop.sidebar.chat_sections import Section
from desktop.sidebar.selected_chats import SelectedChats
from desktop.store.records import Folder

translate = QCoreApplication.translate


def chat_list_actions(window: AppWindow, view: ChatListView, chats: ChatController) -> list[Action]:
    """GUI thread."""
    selected = SelectedChats(view, chats)

    def select_all() -> None:
        window.show_chat_list()
        view.selectAll()

    of_one = partial(Action, is_possible=lambda: bool(selected.targets()))
    of_several = partial(Action, is_possible=lambda: selected.several)
    return [
        of_one(
            "archive_chat", translate("actions", "Archive or unarchive this chat"), selected.archive, "Ctrl+Shift+E"
        ),
        of_one("move_chat", translate("actions", "Move this chat to a folder…"), selected.move, "Ctrl+Shift+M"),
        Action(
            "choose_all",
            translate("actions", "Select all chats"),
            select_all,
            is_possible=lambda: bool(chats.sessions.known),
        ),
        of_several("pin_chosen", translate("actions", "Pin or unpin the selected chats"), selected.pin),
        of_several("move_chosen", translate("actions", "Move the selected chats to a folder…"), selected.move),
        of_several("archive_chosen", translate("actions", "Archive or unarchive the selected chats"), selected.archive),
        of_several("save_chosen", translate("actions", "Export the selected chats as JSON…"), selected.export),
        of_several("delete_chosen", translate("actions", "Delete the selected chats"), selected.delete),
        _go_to_archive(window, view),
        *_folder_actions(window, view),
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


def _folder_actions(window: AppWindow, view: ChatListView) -> list[Action]:
    requests = view.requests

    def on_current(action_id: str, text: str, run: Callable[[Folder], object]) -> Action:
        """An action on the folder in the current row."""

        def run_on_current() -> None:
            if (folder := view.folder) is not None:
                run(folder)

        return Action(action_id, text, run_on_current, is_possible=lambda: view.folder is not None)

    def rename(folder: Folder) -> None:
        window.show_chat_list()
        view.rename_folder(folder.id)

    def new_chat(folder: Folder) -> None:
        requests.new_chat_requested.emit(folder.id)

    def fold(folder: Folder) -> None:
        requests.fold_requested.emit(folder.id, not folder.folded)

    def move(step: int, folder: Folder) -> None:
        requests.move_folder_requested.emit(folder.id, step)

    def delete(folder: Folder) -> None:
        requests.delete_folder_requested.emit(folder.id)

    def new_folder() -> None:
        requests.new_folder_requested.emit(())

    return [
        Action("new_folder", translate("actions", "New folder"), new_folder, "Ctrl+Shift+N"),
        on_current("new_chat_in_folder", translate("actions", "New chat in this folder"), new_chat),
        on_current("rename_folder", translate("actions", "Rename this folder"), rename),
        on_current("fold_folder", translate("actions", "Fold or unfold this folder"), fold),
        on_current("folder_up", translate("actions", "Move this folder up"), partial(move, -1)),
        on_current("folder_down", translate("actions", "Move this folder down"), partial(move, 1)),
        on_current("delete_folder", translate("actions", "Delete this folder"), delete),
    ]

"""What one can do with folders, with the archive and with several chats, as actions with names and keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QCoreApplication

from desktop.chat.controller import ChatController
from desktop.framework.actions import Action
from desktop.shell.main_window import MainWindow
from desktop.sidebar.chat_list_view import ChatListView
from desktop.sidebar.chat_sections import Section
from desktop.sidebar.selected_chats import SelectedChats
from desktop.store.records import Folder

translate = QCoreApplication.translate


def chat_list_actions(window: MainWindow, view: ChatListView, chats: ChatController) -> list[Action]:
    """GUI thread."""
    chosen = SelectedChats(view, chats)

    def choose_all() -> None:
        window.open_chats()
        view.selectAll()

    of_one = partial(Action, is_possible=lambda: chosen.any)
    of_several = partial(Action, is_possible=lambda: chosen.several)
    return [
        of_one(
            "archive_chat", translate("actions", "Archive this chat, or bring it back"), chosen.archive, "Ctrl+Shift+E"
        ),
        of_one("move_chat", translate("actions", "Move this chat to a folder…"), chosen.move, "Ctrl+Shift+M"),
        Action(
            "choose_all",
            translate("actions", "Choose all chats"),
            choose_all,
            is_possible=lambda: bool(chats.sessions.known),
        ),
        of_several("pin_chosen", translate("actions", "Pin or unpin the chosen chats"), chosen.pin),
        of_several("move_chosen", translate("actions", "Move the chosen chats to a folder…"), chosen.move),
        of_several(
            "archive_chosen", translate("actions", "Archive the chosen chats, or bring them back"), chosen.archive
        ),
        of_several("save_chosen", translate("actions", "Save the chosen chats as JSON…"), chosen.save),
        of_several("delete_chosen", translate("actions", "Delete the chosen chats"), chosen.delete),
        *_archive_actions(window, view),
        *_folder_actions(window, view),
    ]


def _archive_actions(window: MainWindow, view: ChatListView) -> list[Action]:
    def go_archive() -> None:
        window.open_chats()
        view.archive_fold_requested.emit(False)
        index = view.chats.index_of_section(Section.ARCHIVE)
        view.go_to(index)
        view.scrollTo(index, view.ScrollHint.PositionAtTop)

    def any_away() -> bool:
        return view.chats.index_of_section(Section.ARCHIVE).isValid()

    return [Action("go_archive", translate("actions", "Go to the archive"), go_archive, is_possible=any_away)]


def _folder_actions(window: MainWindow, view: ChatListView) -> list[Action]:
    def at_folder(name: str, words: str, act: Callable[[Folder], object]) -> Action:
        """What is done with the folder that one is at."""

        def run() -> None:
            if (folder := view.folder) is not None:
                act(folder)

        return Action(name, words, run, is_possible=lambda: view.folder is not None)

    def rename(folder: Folder) -> None:
        window.open_chats()
        view.rename_folder(folder.id)

    def begin_chat(folder: Folder) -> None:
        view.chat_in_folder_requested.emit(folder.id)

    def fold(folder: Folder) -> None:
        view.fold_requested.emit(folder.id, not folder.folded)

    def step(by: int, folder: Folder) -> None:
        view.folder_step_requested.emit(folder.id, by)

    def delete(folder: Folder) -> None:
        view.folder_delete_requested.emit(folder.id)

    return [
        Action(
            "new_folder", translate("actions", "New folder"), lambda: view.folder_requested.emit(()), "Ctrl+Shift+N"
        ),
        at_folder("new_chat_in_folder", translate("actions", "New chat in this folder"), begin_chat),
        at_folder("rename_folder", translate("actions", "Rename this folder"), rename),
        at_folder("fold_folder", translate("actions", "Fold or unfold this folder"), fold),
        at_folder("folder_up", translate("actions", "Move this folder up"), partial(step, -1)),
        at_folder("folder_down", translate("actions", "Move this folder down"), partial(step, 1)),
        at_folder("delete_folder", translate("actions", "Delete this folder"), delete),
    ]

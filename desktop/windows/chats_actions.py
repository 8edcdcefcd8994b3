"""What one can do with folders, with the archive and with several chats, as actions with names and keys."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication

from desktop.actions import Action
from desktop.chat.controller import ChatController
from desktop.chat.sections import Section
from desktop.store.records import Folder
from desktop.widgets.chats_view import ChatsView
from desktop.windows.chosen_chats import ChosenChats
from desktop.windows.main_window import MainWindow

translate = QCoreApplication.translate


def chats_actions(window: MainWindow, view: ChatsView, chats: ChatController) -> list[Action]:
    """GUI thread."""
    chosen = ChosenChats(view, chats)

    def several() -> bool:
        return chosen.several

    def choose_all() -> None:
        window.open_chats()
        view.selectAll()

    return [
        Action(
            "archive_chat",
            translate("actions", "Archive this chat, or bring it back"),
            chosen.archive,
            "Ctrl+Shift+E",
            is_possible=lambda: chosen.any,
        ),
        Action(
            "move_chat",
            translate("actions", "Move this chat to a folder…"),
            chosen.move,
            "Ctrl+Shift+M",
            is_possible=lambda: chosen.any,
        ),
        Action(
            "choose_all",
            translate("actions", "Choose all chats"),
            choose_all,
            is_possible=lambda: chats.chats.rowCount() > 0,
        ),
        Action("pin_chosen", translate("actions", "Pin or unpin the chosen chats"), chosen.pin, is_possible=several),
        Action(
            "move_chosen", translate("actions", "Move the chosen chats to a folder…"), chosen.move, is_possible=several
        ),
        Action(
            "archive_chosen",
            translate("actions", "Archive the chosen chats, or bring them back"),
            chosen.archive,
            is_possible=several,
        ),
        Action("save_chosen", translate("actions", "Save the chosen chats as JSON…"), chosen.save, is_possible=several),
        Action("delete_chosen", translate("actions", "Delete the chosen chats"), chosen.delete, is_possible=several),
        *_folder_actions(window, view),
    ]


def _folder_actions(window: MainWindow, view: ChatsView) -> list[Action]:
    def at_folder() -> bool:
        return view.folder is not None

    def with_folder(act: Callable[[Folder], object]) -> Callable[[], None]:
        def run() -> None:
            if (folder := view.folder) is not None:
                act(folder)

        return run

    def rename(folder: Folder) -> None:
        window.open_chats()
        view.rename_folder(folder.id)

    def go_archive() -> None:
        window.open_chats()
        view.archive_fold_asked.emit(False)
        index = view.chats.index_of_section(Section.ARCHIVE)
        view.go_to(index)
        view.scrollTo(index, view.ScrollHint.PositionAtTop)

    def any_away() -> bool:
        return view.chats.index_of_section(Section.ARCHIVE).isValid()

    return [
        Action("go_archive", translate("actions", "Go to the archive"), go_archive, is_possible=any_away),
        Action("new_folder", translate("actions", "New folder"), lambda: view.folder_asked.emit(()), "Ctrl+Shift+N"),
        Action(
            "new_chat_in_folder",
            translate("actions", "New chat in this folder"),
            with_folder(lambda folder: view.chat_in_folder_asked.emit(folder.id)),
            is_possible=at_folder,
        ),
        Action("rename_folder", translate("actions", "Rename this folder"), with_folder(rename), is_possible=at_folder),
        Action(
            "fold_folder",
            translate("actions", "Fold or unfold this folder"),
            with_folder(lambda folder: view.fold_asked.emit(folder.id, not folder.folded)),
            is_possible=at_folder,
        ),
        Action(
            "folder_up",
            translate("actions", "Move this folder up"),
            with_folder(lambda folder: view.folder_step_asked.emit(folder.id, -1)),
            is_possible=at_folder,
        ),
        Action(
            "folder_down",
            translate("actions", "Move this folder down"),
            with_folder(lambda folder: view.folder_step_asked.emit(folder.id, 1)),
            is_possible=at_folder,
        ),
        Action(
            "delete_folder",
            translate("actions", "Delete this folder"),
            with_folder(lambda folder: view.folder_delete_asked.emit(folder.id)),
            is_possible=at_folder,
        ),
    ]

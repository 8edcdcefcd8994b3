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


def _tr(text: str) -> str:
    return QCoreApplication.translate("actions", text)


def chats_actions(window: MainWindow, view: ChatsView, chats: ChatController) -> list[Action]:
    """GUI thread."""
    chosen = ChosenChats(view, chats)

    def several() -> bool:
        return chosen.several

    def choose_all() -> None:
        window.open_chats()
        view.selectAll()

    return [
        Action("archive_chat", _tr("Archive this chat, or bring it back"), chosen.archive, "Ctrl+Shift+E",
               lambda: chosen.any),
        Action("move_chat", _tr("Move this chat to a folder…"), chosen.move, "Ctrl+Shift+M", lambda: chosen.any),
        Action("choose_all", _tr("Choose all chats"), choose_all, "", lambda: chats.chats.rowCount() > 0),
        Action("pin_chosen", _tr("Pin or unpin the chosen chats"), chosen.pin, "", several),
        Action("move_chosen", _tr("Move the chosen chats to a folder…"), chosen.move, "", several),
        Action("archive_chosen", _tr("Archive the chosen chats, or bring them back"), chosen.archive, "", several),
        Action("save_chosen", _tr("Save the chosen chats as JSON…"), chosen.save, "", several),
        Action("delete_chosen", _tr("Delete the chosen chats"), chosen.delete, "", several),
        *_folder_actions(window, view),
    ]  # fmt: skip


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
        Action("go_archive", _tr("Go to the archive"), go_archive, "", any_away),
        Action("new_folder", _tr("New folder"), lambda: view.folder_asked.emit(()), "Ctrl+Shift+N"),
        Action("new_chat_in_folder", _tr("New chat in this folder"),
               with_folder(lambda folder: view.chat_in_folder_asked.emit(folder.id)), "", at_folder),
        Action("rename_folder", _tr("Rename this folder"), with_folder(rename), "", at_folder),
        Action("fold_folder", _tr("Fold or unfold this folder"),
               with_folder(lambda folder: view.fold_asked.emit(folder.id, not folder.folded)), "", at_folder),
        Action("folder_up", _tr("Move this folder up"),
               with_folder(lambda folder: view.folder_step_asked.emit(folder.id, -1)), "", at_folder),
        Action("folder_down", _tr("Move this folder down"),
               with_folder(lambda folder: view.folder_step_asked.emit(folder.id, 1)), "", at_folder),
        Action("delete_folder", _tr("Delete this folder"),
               with_folder(lambda folder: view.folder_delete_asked.emit(folder.id)), "", at_folder),
    ]  # fmt: skip

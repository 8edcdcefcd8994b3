"""Connects the list of chats at the left to what keeps them, and says what was done where it can be undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject

from desktop.chat.controller import ChatController
from desktop.platform.number_format import whole
from desktop.shell.main_window import MainWindow
from desktop.sidebar.chat_list_model import ChatListModel
from desktop.sidebar.chat_list_view import ChatListView
from desktop.sidebar.day_change import DayChange
from desktop.sidebar.selected_chats import SelectedChats
from desktop.sidebar.selection_bar import SelectionBar
from desktop.sidebar.strings import row_description, section_heading
from desktop.store.records import Chat


def chat_list_model(chats: ChatController) -> ChatListModel:
    """A list of all chats and folders of `chats` that follows their changes."""
    sessions, organizer = chats.sessions, chats.organizer
    model = ChatListModel(section_heading, spoken=row_description, parent=sessions)

    def show() -> None:
        model.show(sessions.known.values(), organizer.folders, organizer.archive_folded)
        mark()

    def mark() -> None:
        model.mark(sessions.marked_id, sessions.live)

    sessions.listed.connect(show)
    sessions.marked.connect(mark)
    organizer.changed.connect(show)
    DayChange(parent=model).changed.connect(show)
    model.renamed.connect(sessions.rename)
    model.folder_renamed.connect(organizer.rename_folder)
    show()
    return model


class ChatListWiring(QObject):
    """Lives as long as its window. GUI thread only."""

    def __init__(self, window: MainWindow, view: ChatListView, chats: ChatController) -> None:
        super().__init__(window)
        self._window, self._view, self._chats = window, view, chats
        window.sidebar.new_chat_requested.connect(self._new_chat)
        view.chosen.connect(self._open)
        view.pin_requested.connect(chats.organizer.pin)
        view.move_requested.connect(chats.organizer.move)
        view.archive_requested.connect(self._archive)
        view.delete_requested.connect(self._delete)
        view.folder_requested.connect(self._new_folder)
        view.fold_requested.connect(chats.organizer.fold)
        view.folder_step_requested.connect(chats.organizer.move_folder)
        view.folder_delete_requested.connect(self._delete_folder)
        view.chat_in_folder_requested.connect(self._new_chat_in)
        view.archive_fold_requested.connect(chats.organizer.fold_archive)
        self._shown_id, self._answering = "", False
        chats.sessions.opened.connect(self._show_open)
        chats.sessions.answering_changed.connect(self._follow)
        view.typed.connect(self._write)
        self._connect_header()
        self._connect_bar(SelectedChats(view, chats))

    def _connect_header(self) -> None:
        header, view = self._window.header, self._view
        header.rename_requested.connect(self._rename)
        header.pin_requested.connect(lambda chat_id, pinned: view.pin_requested.emit((chat_id,), pinned))
        header.archive_requested.connect(lambda chat_id, away: view.archive_requested.emit((chat_id,), away))
        header.delete_requested.connect(lambda chat_id: view.delete_requested.emit((chat_id,)))
        header.folder_requested.connect(
            lambda chat_id, at: view.open_folder_menu(self._chats.organizer.chats([chat_id]), at)
        )

    def _connect_bar(self, chosen: SelectedChats) -> None:
        bar = SelectionBar(self._window.theme)
        self._window.sidebar.add_bar(bar)
        self._view.multi_selection_changed.connect(bar.show_count)
        bar.pin_requested.connect(chosen.pin)
        bar.move_requested.connect(lambda: chosen.move(bar.mapToGlobal(bar.rect().topLeft())))
        bar.archive_requested.connect(chosen.archive)
        bar.delete_requested.connect(chosen.delete)
        bar.left.connect(self._view.leave_multi_selection)

    def _new_chat(self) -> None:
        self._new_chat_in("")

    def _new_chat_in(self, folder_id: str) -> None:
        self._chats.sessions.new_chat(folder_id)
        self._window.show_chat_page()

    def _open(self, chat_id: str) -> None:
        self._chats.sessions.open_chat(chat_id)
        self._window.show_chat_page()

    def _show_open(self, chat: Chat | None) -> None:
        chat_id = chat.id if chat is not None else ""
        if chat_id != self._shown_id:
            self._shown_id = chat_id
            self._view.show_open(chat)

    def _follow(self, answering: bool) -> None:
        """A chat that is written in moves to the top of its day."""
        if answering and not self._answering:
            self._view.show_open(self._chats.sessions.current)
        self._answering = answering

    def _write(self, text: str) -> None:
        self._window.show_chat_page()
        self._window.composer.write(text)

    def _rename(self, chat_id: str) -> None:
        """Where the chat is out of sight, its place is opened first."""
        for chat in self._chats.organizer.chats([chat_id]):
            if chat.archived:
                self._chats.organizer.fold_archive(False)
            elif not chat.pinned:
                self._chats.organizer.fold(chat.folder_id, False)
        self._window.open_chats()
        self._view.rename(chat_id)

    def _archive(self, chat_ids: Sequence[str], away: bool) -> None:
        before = self._chats.organizer.archive(chat_ids, away)
        if away:
            one, several = self.tr("“{title}” is in the archive."), self.tr("{n} chats are in the archive.")
            self._offer_undo(before, one, several, lambda: self._chats.organizer.restore_places(before))

    def _delete(self, chat_ids: Sequence[str]) -> None:
        current = self._chats.sessions.current
        gone = self._chats.organizer.delete(chat_ids)
        if (
            current is not None
            and current.id in chat_ids
            and self._window.pages.currentWidget() is self._window.chat_page
        ):
            self._window.composer.setFocus()  # the open chat is gone: what is typed next begins another
        one, several = self.tr("“{title}” is deleted."), self.tr("{n} chats are deleted.")
        self._offer_undo(gone, one, several, lambda: self._chats.organizer.restore(gone))

    def _new_folder(self, chat_ids: Sequence[str]) -> None:
        """Its name is open for editing at once."""
        folder = self._chats.organizer.add_folder(self.tr("New folder"))
        self._chats.organizer.move(chat_ids, folder.id)
        self._window.open_chats()
        self._view.rename_folder(folder.id)

    def _delete_folder(self, folder_id: str) -> None:
        deleted = self._chats.organizer.delete_folder(folder_id)
        if deleted is not None:
            words = self.tr("The folder “{title}” is deleted; its chats stay.").format(title=deleted.folder.name)
            self._window.undo_stack.push(words, lambda: self._chats.organizer.restore_folder(deleted))

    def _offer_undo(self, done: Sequence[Chat], one: str, several: str, undo: Callable[[], None]) -> None:
        if done:
            words = one.format(title=done[0].title) if len(done) == 1 else several.format(n=whole(len(done)))
            self._window.undo_stack.push(words, undo)

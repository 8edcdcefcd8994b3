"""Connects the chat list, the selection bar and the search of the sidebar to chats, pages and the undo stack."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject

from desktop.chat.controller import ChatController
from desktop.chat.page import ChatPage
from desktop.framework.app_window import AppWindow
from desktop.platform.number_format import whole
from desktop.sidebar.chat_list_model import ChatListModel
from desktop.sidebar.chat_list_view import ChatListView
from desktop.sidebar.day_change import DayChange
from desktop.sidebar.search_controller import SearchController
from desktop.sidebar.search_results_view import SearchResultsView
from desktop.sidebar.selected_chats import SelectedChats
from desktop.sidebar.selection_bar import SelectionBar
from desktop.sidebar.sidebar import Sidebar
from desktop.sidebar.strings import row_description, section_heading
from desktop.store.records import Chat


def chat_list_model(chats: ChatController) -> ChatListModel:
    """Returns a list model that is updated when chats, folders or the date change."""
    sessions, organizer = chats.sessions, chats.organizer
    model = ChatListModel(section_heading, description=row_description, parent=sessions)

    def show() -> None:
        model.show(sessions.chats_by_id.values(), organizer.folders, organizer.archive_folded)
        mark()

    def mark() -> None:
        model.mark(sessions.marked_id, sessions.live)

    sessions.chats_changed.connect(show)
    sessions.marks_changed.connect(mark)
    organizer.changed.connect(show)
    DayChange(parent=model).changed.connect(show)
    model.renamed.connect(sessions.rename)
    model.folder_renamed.connect(organizer.rename_folder)
    show()
    return model


class ChatListWiring(QObject):
    """Carries out what the user requests in the chat list of one window. GUI thread only."""

    def __init__(
        self, window: AppWindow, sidebar: Sidebar, page: ChatPage, view: ChatListView, chats: ChatController
    ) -> None:
        super().__init__(window)
        self._window, self._page, self._view = window, page, view
        self._sessions, self._organizer = chats.sessions, chats.organizer
        self._shown_id, self._was_answering = "", False
        sidebar.new_chat_requested.connect(lambda: self._new_chat(""))
        view.typed.connect(self._type_into_composer)
        self._sessions.opened.connect(self._show_open_chat)
        self._sessions.answering_changed.connect(self._show_answering_chat)
        self._connect_requests()
        page.header.unarchive_requested.connect(lambda chat_id: view.requests.archive_requested.emit((chat_id,), False))
        self._connect_selection_bar(sidebar, SelectedChats(view, chats))

    def _connect_requests(self) -> None:
        requests, organizer = self._view.requests, self._organizer
        requests.open_requested.connect(self._open)
        requests.pin_requested.connect(organizer.pin)
        requests.move_requested.connect(organizer.move)
        requests.archive_requested.connect(self._archive)
        requests.delete_requested.connect(self._delete)
        requests.new_chat_requested.connect(self._new_chat)
        requests.new_folder_requested.connect(self._new_folder)
        requests.fold_requested.connect(organizer.fold)
        requests.move_folder_requested.connect(organizer.move_folder)
        requests.delete_folder_requested.connect(self._delete_folder)
        requests.fold_archive_requested.connect(organizer.fold_archive)

    def _connect_selection_bar(self, sidebar: Sidebar, selected: SelectedChats) -> None:
        bar = SelectionBar(self._window.theme)
        sidebar.add_selection_bar(bar)
        self._view.multi_selection_changed.connect(bar.show_count)
        bar.pin_requested.connect(selected.pin)
        bar.move_requested.connect(lambda: selected.move(bar.mapToGlobal(bar.rect().topLeft())))
        bar.archive_requested.connect(selected.archive)
        bar.delete_requested.connect(selected.delete)
        bar.leave_requested.connect(self._view.leave_multi_selection)

    def _new_chat(self, folder_id: str) -> None:
        self._sessions.new_chat(folder_id)
        self._window.show_page("chat")

    def _open(self, chat_id: str) -> None:
        self._sessions.open_chat(chat_id)
        self._window.show_page("chat")

    def _show_open_chat(self, chat: Chat | None) -> None:
        chat_id = chat.id if chat is not None else ""
        if chat_id != self._shown_id:
            self._shown_id = chat_id
            self._view.show_open(chat)

    def _show_answering_chat(self, answering: bool) -> None:
        """Scrolls to the open chat when an answer starts, because a new answer moves the chat to the top of its
        section."""
        if answering and not self._was_answering:
            self._view.show_open(self._sessions.current)
        self._was_answering = answering

    def _type_into_composer(self, text: str) -> None:
        self._window.show_page("chat")
        self._page.composer.insert_text(text)

    def _archive(self, chat_ids: Sequence[str], archived: bool) -> None:
        before = self._organizer.archive(chat_ids, archived)
        if archived:
            one, several = self.tr("“{title}” is in the archive."), self.tr("{n} chats are in the archive.")
            self._offer_undo(before, one, several, lambda: self._organizer.restore_places(before))

    def _delete(self, chat_ids: Sequence[str]) -> None:
        current = self._sessions.current
        deleted = self._organizer.delete(chat_ids)
        if current is not None and current.id in chat_ids and self._window.is_page_shown("chat"):
            self._page.composer.setFocus()  # after the deletion, typed text begins a new chat
        one, several = self.tr("“{title}” is deleted."), self.tr("{n} chats are deleted.")
        self._offer_undo(deleted, one, several, lambda: self._organizer.restore(deleted))

    def _new_folder(self, chat_ids: Sequence[str]) -> None:
        """Creates a folder with these chats, and opens the editor for the name of the folder."""
        folder = self._organizer.add_folder(self.tr("New folder"))
        self._organizer.move(chat_ids, folder.id)
        self._window.show_chat_list()
        self._view.rename_folder(folder.id)

    def _delete_folder(self, folder_id: str) -> None:
        deleted = self._organizer.delete_folder(folder_id)
        if deleted is not None:
            text = self.tr("The folder “{title}” is deleted; its chats stay.").format(title=deleted.folder.name)
            self._window.undo_stack.push(text, lambda: self._organizer.restore_folder(deleted))

    def _offer_undo(self, changed: Sequence[Chat], one: str, several: str, undo: Callable[[], None]) -> None:
        if changed:
            text = one.format(title=changed[0].title) if len(changed) == 1 else several.format(n=whole(len(changed)))
            self._window.undo_stack.push(text, undo)


class SearchWiring(QObject):
    """Connects the search field and the search results of one window. GUI thread only."""

    def __init__(
        self, window: AppWindow, sidebar: Sidebar, page: ChatPage, search: SearchController, chats: ChatController
    ) -> None:
        super().__init__(window)
        self._window, self._sidebar, self._sessions = window, sidebar, chats.sessions
        self._view = SearchResultsView(window.theme)
        self._view.setModel(search.results)
        sidebar.add_search_results(self._view)
        field = sidebar.search
        field.textChanged.connect(search.search_for)
        field.enter_pressed.connect(self._view.open_first)
        field.down_pressed.connect(self._view.enter)
        field.left.connect(page.composer.setFocus)
        self._view.up_pressed.connect(field.setFocus)
        self._view.typed.connect(self._type_into_field)
        self._view.open_requested.connect(self._open)
        search.finished.connect(self._show_results)
        self._sessions.saved.connect(search.repeat)

    def _show_results(self, words: str, n_hits: int) -> None:
        if not n_hits:
            self._view.set_placeholder_text(self.tr("No chat contains “{words}”.").format(words=words))
        self._sidebar.show_search_results(bool(words))

    def _type_into_field(self, text: str) -> None:
        field = self._sidebar.search
        field.setFocus()
        field.end(False)
        field.insert(text)

    def _open(self, chat_id: str, message_id: str) -> None:
        self._sessions.open_chat(chat_id, message_id)
        self._window.show_page("chat")

"""Connects the sidebar's search to its controller and to the chats."""

from __future__ import annotations

from PySide6.QtCore import QObject

from desktop.chat.controller import ChatController
from desktop.shell.main_window import MainWindow
from desktop.sidebar.search_controller import SearchController
from desktop.sidebar.search_results_view import SearchResultsView


class SearchWiring(QObject):
    """Lives as long as its window. GUI thread only."""

    def __init__(self, window: MainWindow, search: SearchController, chats: ChatController) -> None:
        super().__init__(window)
        self._window, self._search, self._chats = window, search, chats
        self._view = SearchResultsView(window.theme)
        self._view.setModel(search.found)
        window.sidebar.add_search_results(self._view)
        field = window.sidebar.search
        field.textChanged.connect(search.search_for)
        field.enter_pressed.connect(self._view.open_first)
        field.down_pressed.connect(self._view.enter)
        field.left.connect(window.composer.setFocus)
        self._view.up_pressed.connect(field.setFocus)
        self._view.typed.connect(self._write)
        self._view.chosen.connect(self._open)
        search.answered.connect(self._show)
        chats.sessions.saved.connect(search.again)

    def _show(self, words: str, n_hits: int) -> None:
        if not n_hits:
            self._view.set_placeholder_text(self.tr("Nothing holds “{words}”.").format(words=words))
        self._window.sidebar.show_search_results(bool(words))

    def _write(self, text: str) -> None:
        field = self._window.sidebar.search
        field.setFocus()
        field.end(False)
        field.insert(text)

    def _open(self, chat_id: str, message_id: str) -> None:
        self._chats.sessions.open_chat(chat_id, message_id)
        self._window.show_chat_page()

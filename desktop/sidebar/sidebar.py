"""The sidebar. It contains the button for a new chat, the search, the chat list and the buttons of the pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.framework.pages import Page
from desktop.platform.bidi import is_mirrored
from desktop.platform.theme import Theme
from desktop.sidebar.page_button import PageButton
from desktop.sidebar.search_field import SearchField

if TYPE_CHECKING:
    from desktop.sidebar.chat_list_view import ChatListView
    from desktop.sidebar.search_results_view import SearchResultsView
    from desktop.sidebar.selection_bar import SelectionBar

WIDTH = 256


class Sidebar(QFrame):
    new_chat_requested = Signal()
    page_requested = Signal(str)
    """The id of the requested `Page`."""

    def __init__(self, theme: Theme, pages: Sequence[Page] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("sidebar")
        self.setProperty("mirrored", is_mirrored())
        self.setFixedWidth(WIDTH)
        self._flame = QLabel(self)
        self._new_chat = self._new_chat_button()
        self.search = SearchField(theme, self)
        self.chats: ChatListView | None = None
        self._results: SearchResultsView | None = None
        self._lists = QVBoxLayout()
        self._lists.addStretch()  # takes the room of the chat list until that is added
        self.page_buttons = {page.id: self._page_button(page) for page in pages}
        self._lay_out()
        theme.changed.connect(self._restyle)
        self._restyle()

    def add_chats(self, chats: ChatListView) -> None:
        """Adds the chat list, which is created after the first paint."""
        self.chats = chats
        self._lists.addWidget(chats, 1)
        self.setTabOrder(self._new_chat, self.search)
        self.setTabOrder(self.search, chats)

    def add_search_results(self, results: SearchResultsView) -> None:
        """Adds the list of search results, which is hidden at first."""
        self._results = results
        results.hide()
        self._lists.addWidget(results, 1)
        self.setTabOrder(self.search, results)

    def add_selection_bar(self, bar: SelectionBar) -> None:
        """Adds the selection bar below the chat list."""
        self._lists.addWidget(bar)
        if self.chats is not None:
            self.setTabOrder(self.chats, bar)

    def show_search_results(self, shown: bool) -> None:
        """Shows the search results instead of the chat list if `shown` is true, otherwise the chat list."""
        if self._results is not None and self.chats is not None:
            self._results.setVisible(shown)
            self.chats.setVisible(not shown)

    def mark_page(self, shown_id: str) -> None:
        """Highlights the button of the shown page. While the page "chat" is shown, highlights the open chat in the
        list."""
        for page_id, button in self.page_buttons.items():
            button.setChecked(page_id == shown_id)
            button.restyle()
        if self.chats is not None:
            self.chats.mark_current(shown_id == "chat")

    def show_endpoint(self, on: bool) -> None:
        name = self.tr("Endpoint, on") if on else self.tr("Endpoint, off")
        self.page_buttons["endpoint"].show_dot(on, name)

    def _new_chat_button(self) -> QPushButton:
        button = QPushButton("  " + self.tr("New chat"), self)
        button.setObjectName("newChat")
        button.setAccessibleName(self.tr("New chat"))
        button.setFixedHeight(34)
        button.setIconSize(QSize(16, 16))
        button.clicked.connect(self.new_chat_requested)
        keys = QLabel(self.tr("Ctrl N"), button)
        keys.setObjectName("shortcut")
        row = QHBoxLayout(button)
        row.setContentsMargins(10, 0, 10, 0)
        row.addStretch(1)
        row.addWidget(keys)
        return button

    def _page_button(self, page: Page) -> PageButton:
        button = PageButton(self._theme, page, self)
        button.clicked.connect(lambda: self.page_requested.emit(page.id))
        return button

    def _lay_out(self) -> None:
        name = QLabel("Inglenook", self)
        name.setObjectName("brand")
        brand = QHBoxLayout()
        brand.setContentsMargins(9, 0, 9, 0)
        brand.setSpacing(8)
        brand.addWidget(self._flame)
        brand.addWidget(name, 1)
        rule = QFrame(self)
        rule.setObjectName("sidebarRule")
        rule.setFixedHeight(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(13, 14, 13, 12)
        column.setSpacing(0)
        column.addLayout(brand)
        column.addSpacing(10)
        column.addWidget(self._new_chat)
        column.addSpacing(8)
        column.addWidget(self.search)
        column.addSpacing(4)
        column.addLayout(self._lists, 1)
        column.addWidget(rule)
        column.addSpacing(9)
        for button in self.page_buttons.values():
            column.addWidget(button)

    def _restyle(self) -> None:
        self._flame.setPixmap(self._theme.pixmap("flame", "accent", 16, self.devicePixelRatioF()))
        self._new_chat.setIcon(self._theme.icon("square-pen", "text"))

"""The left side: a new chat, the chats there are, the places to go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.platform.bidi import is_mirrored
from desktop.platform.theme import Theme
from desktop.sidebar.search_field import SearchField
from desktop.widgets.status_icons import dot_pixmap

if TYPE_CHECKING:
    from desktop.sidebar.chat_list_view import ChatListView
    from desktop.sidebar.search_results_view import SearchResultsView
    from desktop.sidebar.selection_bar import SelectionBar

WIDTH = 256


class Sidebar(QFrame):
    new_chat_requested = Signal()
    models_requested = Signal()
    endpoint_requested = Signal()
    settings_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._endpoint_on = False
        self.setObjectName("sidebar")
        self.setProperty("mirrored", is_mirrored())
        self.setFixedWidth(WIDTH)
        self._flame = QLabel(self)
        self._new = self._new_chat_button()
        self.search = SearchField(theme, self)
        self.chats: ChatListView | None = None
        self._found: SearchResultsView | None = None
        self._middle = QVBoxLayout()
        self._models = self._place_button(self.tr("Models"))
        self._models.clicked.connect(self.models_requested)
        self._endpoint = self._place_button(self.tr("Endpoint"))
        self._endpoint.clicked.connect(self.endpoint_requested)
        self._dot = QLabel(self._endpoint)
        self._settings = self._place_button(self.tr("Settings"))
        self._settings.clicked.connect(self.settings_requested)
        self._lay_out()
        theme.changed.connect(self._restyle)
        self._restyle()

    def add_chats(self, chats: ChatListView) -> None:
        """Puts the list of chats in its place."""
        self.chats = chats
        self._middle.addWidget(chats)
        self.setTabOrder(self._new, self.search)
        self.setTabOrder(self.search, chats)

    def add_search_results(self, found: SearchResultsView) -> None:
        """Puts the list of what a search found in the place of the chats, out of sight."""
        self._found = found
        found.hide()
        self._middle.addWidget(found)
        self.setTabOrder(self.search, found)

    def add_bar(self, bar: SelectionBar) -> None:
        """Puts what is done with several chats under their list."""
        self._middle.addWidget(bar)
        if self.chats is not None:
            self.setTabOrder(self.chats, bar)

    def show_search_results(self, shown: bool) -> None:
        """What was found, or the chats."""
        if self._found is not None and self.chats is not None:
            self._found.setVisible(shown)
            self.chats.setVisible(not shown)

    def mark_page(self, place: str) -> None:
        """Where one is: "models", "endpoint", "settings", or "chat"."""
        self._models.setChecked(place == "models")
        self._endpoint.setChecked(place == "endpoint")
        self._settings.setChecked(place == "settings")
        if self.chats is not None:
            self.chats.mark_current(place == "chat")
        self._restyle()

    def show_endpoint(self, on: bool) -> None:
        self._endpoint_on = on
        self._endpoint.setAccessibleName(self.tr("Endpoint, on") if on else self.tr("Endpoint, off"))
        self._restyle()

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

    def _place_button(self, name: str) -> QPushButton:
        button = QPushButton("  " + name, self)
        button.setObjectName("place")
        button.setAccessibleName(name)
        button.setCheckable(True)
        button.setFixedHeight(32)
        button.setIconSize(QSize(16, 16))
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
        column.addWidget(self._new)
        column.addSpacing(8)
        column.addWidget(self.search)
        column.addSpacing(4)
        column.addLayout(self._middle, 1)
        column.addWidget(rule)
        column.addSpacing(9)
        column.addWidget(self._models)
        column.addWidget(self._endpoint)
        column.addWidget(self._settings)
        dot = QHBoxLayout(self._endpoint)
        dot.setContentsMargins(9, 0, 9, 0)
        dot.addStretch(1)
        dot.addWidget(self._dot)

    def _restyle(self) -> None:
        scale = self.devicePixelRatioF()
        self._flame.setPixmap(self._theme.pixmap("flame", "accent", 16, scale))
        self._new.setIcon(self._theme.icon("square-pen", "text"))
        self._models.setIcon(self._theme.icon("box", "accent" if self._models.isChecked() else "text"))
        self._endpoint.setIcon(self._theme.icon("plug", "accent" if self._endpoint.isChecked() else "text"))
        self._settings.setIcon(self._theme.icon("settings-2", "accent" if self._settings.isChecked() else "text"))
        self._dot.setPixmap(dot_pixmap(self._theme, "ok", scale))
        self._dot.setVisible(self._endpoint_on)

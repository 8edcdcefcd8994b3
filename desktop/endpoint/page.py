"""Page of the endpoint: switch, address, API keys, web origins, snippets, requests, memory."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QVBoxLayout, QWidget

from desktop.endpoint.address_card import AddressCard
from desktop.endpoint.api_keys_card import ApiKeysCard
from desktop.endpoint.controller import EndpointState
from desktop.endpoint.memory_card import MemoryCard
from desktop.endpoint.origins_card import OriginsCard
from desktop.endpoint.page_header import EndpointPageHeader, StartFailureCard
from desktop.endpoint.requests_card import RequestsCard
from desktop.endpoint.snippets_card import SnippetsCard
from desktop.platform.theme import Theme
from desktop.widgets.scroll_page import ScrollPage

MIN_WIDTH_FOR_COLUMNS = 700
"""Width in pixels. In a narrower page, the card with the API keys is below the address card, not beside it."""


class EndpointPage(ScrollPage):
    switched = Signal(bool)
    """The user turned the endpoint on or off."""
    port_requested = Signal(int)
    visible_changed = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("endpoint", parent)
        self._state = EndpointState()
        inner = QWidget(self._body)
        self._header = EndpointPageHeader(theme, inner)
        self._alert = StartFailureCard(theme, inner)
        self._address_card = AddressCard(theme, inner)
        self.keys = ApiKeysCard(theme, inner)
        self.origins = OriginsCard(theme, inner)
        self.snippets = SnippetsCard(theme, inner)
        self.requests = RequestsCard(theme, inner)
        self.memory = MemoryCard(theme, inner)
        self.sidebar_button = self._header.sidebar_button
        self._switch, self._address = self._header.switch, self._address_card.line
        self._cards = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._lay_out(inner)
        self._connect()
        self.show_state(self._state)

    def toggle(self) -> None:
        """Turn the endpoint on or off, like a click on the switch."""
        self._switch.click()

    def show_state(self, state: EndpointState) -> None:
        self._state = state
        for part in (self._header, self._alert, self._address_card, self.snippets):
            part.show_state(state)
        self.keys.show_own_key(state.key)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        beside = self.viewport().width() >= MIN_WIDTH_FOR_COLUMNS
        self._cards.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.visible_changed.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.visible_changed.emit(False)

    def _connect(self) -> None:
        self._header.switched.connect(self.switched)
        self._alert.port_requested.connect(self.port_requested)
        self._address_card.snippets_requested.connect(self._toggle_snippets)

    def _toggle_snippets(self) -> None:
        opens = self.snippets.isHidden()
        self.snippets.setVisible(opens)
        if opens:
            self.snippets.tabs.setFocus()
            QTimer.singleShot(
                0, self, lambda: self.ensureWidgetVisible(self.snippets)
            )  # Qt lays the card out before this timer ends

    def _lay_out(self, inner: QWidget) -> None:
        self._cards.setSpacing(14)
        self._cards.addWidget(self._address_card, 437)
        self._cards.addWidget(self.keys, 320)
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(16)
        column.addWidget(self._header)
        column.addWidget(self._alert)
        column.addLayout(self._cards)
        for card in (self.origins, self.snippets, self.requests, self.memory):
            column.addWidget(card)
        column.addStretch(1)
        self.snippets.hide()
        self._put_in_the_middle(inner)

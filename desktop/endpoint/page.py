"""The page of the endpoint: one switch, what other tools need to know, what they do, and what it costs."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QVBoxLayout, QWidget

from desktop.endpoint.api_keys_card import ApiKeysCard
from desktop.endpoint.controller import EndpointState
from desktop.endpoint.memory_card import MemoryCard
from desktop.endpoint.origins_card import OriginsCard
from desktop.endpoint.page_header import AddressCard, AlertCard, EndpointPageHeader
from desktop.endpoint.requests_card import RequestsCard
from desktop.endpoint.snippets_card import SnippetsCard
from desktop.platform.theme import Theme
from desktop.widgets.scroll_page import ScrollPage

SIDE_BY_SIDE = 700


class EndpointPage(ScrollPage):
    switched = Signal(bool)
    port_requested = Signal(int)
    seen_changed = Signal(bool)
    """Whether somebody can see the page."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("endpoint", parent)
        self._state = EndpointState()
        inner = QWidget(self._body)
        self._head = EndpointPageHeader(theme, inner)
        self._alert = AlertCard(theme, inner)
        self._address_card = AddressCard(theme, inner)
        self.keys = ApiKeysCard(theme, inner)
        self.origins = OriginsCard(theme, inner)
        self.snippets = SnippetsCard(theme, inner)
        self.requests = RequestsCard(theme, inner)
        self.memory = MemoryCard(theme, inner)
        self.sidebar_button = self._head.sidebar_button
        self._switch, self._address = self._head.switch, self._address_card.line
        self._cards = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._lay_out(inner)
        self._connect()
        self.show_state(self._state)

    def press_switch(self) -> None:
        """As a click on the switch does."""
        self._switch.click()

    def show_state(self, state: EndpointState) -> None:
        self._state = state
        for part in (self._head, self._alert, self._address_card, self.snippets):
            part.show_state(state)
        self.keys.show_own_key(state.key)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        beside = self.viewport().width() >= SIDE_BY_SIDE
        self._cards.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.seen_changed.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.seen_changed.emit(False)

    def _connect(self) -> None:
        self._head.switched.connect(self.switched)
        self._alert.port_requested.connect(self.port_requested)
        self._address_card.snippets_requested.connect(self._toggle_snippets)

    def _toggle_snippets(self) -> None:
        opens = self.snippets.isHidden()
        self.snippets.setVisible(opens)
        if opens:
            self.snippets.tabs.setFocus()
            QTimer.singleShot(0, self, lambda: self.ensureWidgetVisible(self.snippets))  # once it has its place

    def _lay_out(self, inner: QWidget) -> None:
        self._cards.setSpacing(14)
        self._cards.addWidget(self._address_card, 437)
        self._cards.addWidget(self.keys, 320)
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(16)
        column.addWidget(self._head)
        column.addWidget(self._alert)
        column.addLayout(self._cards)
        for card in (self.origins, self.snippets, self.requests, self.memory):
            column.addWidget(card)
        column.addStretch(1)
        self.snippets.hide()
        self._put_in_the_middle(inner)

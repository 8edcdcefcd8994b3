"""Card with the address of the endpoint and the API dialects that it supports."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop.endpoint.controller import EndpointState
from desktop.endpoint.dialects import DIALECTS
from desktop.platform.theme import Theme
from desktop.widgets.card_parts import Card, label, link
from desktop.widgets.copy_button import CopyButton
from desktop.widgets.flow import FlowLayout
from desktop.widgets.text_lines import CodeLine


class AddressCard(Card):
    snippets_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line = CodeLine(self)
        self.line.setProperty("address", True)
        self.line.setAccessibleName(self.tr("Address"))
        copy = CopyButton(theme, self.tr("Copy the address"), self.line.text, self)
        self._row = QHBoxLayout()
        self._row.setSpacing(4)
        self._row.addWidget(self.line, 1)
        self._row.addWidget(copy)
        chips = FlowLayout(6)
        for name, routes in DIALECTS.items():
            chips.addWidget(self._chip(name, routes))
        self.how = link(self.tr("How to connect…"), self)
        self.how.clicked.connect(self.snippets_requested)
        chips.addWidget(self.how)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 12, 14)
        column.setSpacing(4)
        column.addWidget(label("cardLabel", self.tr("Address"), self))
        column.addLayout(self._row)
        column.addSpacing(6)
        column.addLayout(chips)
        column.addStretch(1)

    def _chip(self, name: str, routes: Sequence[str]) -> QLabel:
        """The name of a dialect, whose tooltip and accessible description are its routes."""
        chip = label("chip", name, self)
        chip.setToolTip("\n".join(routes))
        chip.setAccessibleDescription(", ".join(routes))
        return chip

    def show_state(self, state: EndpointState) -> None:
        self.line.show_text(state.address)

"""Card with the origins of web pages and apps: the allowed ones, and those that were refused recently."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from desktop.endpoint.activity import PageOrigins
from desktop.platform.text_escaping import tooltip_text
from desktop.platform.theme import Theme
from desktop.widgets.card_parts import Card, IconButton, label, link
from desktop.widgets.tab_order import set_tab_order

MAX_NAME_WIDTH = 260
"""Largest width of an origin in pixels. A longer origin is elided, and the tooltip shows all of it."""


class OriginsCard(Card):
    """Card with a row for each origin; hidden if there is none. Its signals carry the origin."""

    allow_requested = Signal(str)
    remove_requested = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown = PageOrigins()
        self.rows: dict[str, OriginRow] = {}
        self._tab_start = link("", self)
        """A hidden widget that marks the position of the rows in the tab order."""
        self._tab_start.hide()
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        note = self.tr("They send requests from a browser or from a window of their own. Each needs a key as well.")
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 12, 12, 12)
        column.setSpacing(6)
        column.addWidget(label("cardLabel", self.tr("Web pages and apps"), self))
        column.addWidget(label("pageText", note, self, wraps=True))
        column.addLayout(self._rows)
        self.hide()

    def show_origins(self, origins: PageOrigins) -> None:
        if origins == self._shown:
            return
        self._shown = origins
        focused = next((origin for origin, row in self.rows.items() if row.button.hasFocus()), None)
        for row in self.rows.values():
            self._rows.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = {origin: self._row(origin, allowed=True) for origin in origins.allowed}
        self.rows |= {origin: self._row(origin, allowed=False) for origin in origins.refused}
        for row in self.rows.values():
            self._rows.addWidget(row)
        self.setVisible(bool(self.rows))
        set_tab_order(self._tab_start, *(row.button for row in self.rows.values()))
        if focused is not None and self.rows:
            self.rows.get(focused, next(iter(self.rows.values()))).button.setFocus()

    def _row(self, origin: str, *, allowed: bool) -> OriginRow:
        row = OriginRow(self._theme, origin, allowed, self)
        signal = self.remove_requested if allowed else self.allow_requested
        row.button.clicked.connect(lambda: signal.emit(origin))
        return row


class OriginRow(QWidget):
    def __init__(self, theme: Theme, origin: str, allowed: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFixedHeight(28)
        name = label("keyName", "", self)
        name.setText(name.fontMetrics().elidedText(origin, Qt.TextElideMode.ElideMiddle, MAX_NAME_WIDTH))
        name.setToolTip(tooltip_text(origin))
        state = label("pageText", self.tr("allowed") if allowed else self.tr("refused"), self)
        self.button: IconButton | QPushButton
        if allowed:
            self.button = IconButton(theme, "trash-2", self.tr("No longer allow {origin}").format(origin=origin), self)
        else:
            self.button = link(self.tr("Allow"), self)
            self.button.setAccessibleName(self.tr("Allow {origin}").format(origin=origin))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(name)
        row.addStretch(1)
        row.addWidget(state)
        row.addWidget(self.button)

"""The section of the models page that lists the connections to other servers."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QPoint, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from desktop.connections import strings
from desktop.connections.connection_state import ConnectionState
from desktop.platform.text_escaping import button_text
from desktop.platform.theme import Theme
from desktop.widgets.card_parts import Card, IconButton, label, link, set_style_flag
from desktop.widgets.tab_order import set_tab_order

translate = QCoreApplication.translate


class ConnectionsSection(QWidget):
    """A heading, a link to add a connection, and a card with a row for each one. GUI thread only."""

    add_requested = Signal()
    edit_requested = Signal(str)
    """Carries the id of a connection, as the following signals."""
    test_requested = Signal(str)
    remove_requested = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.rows: dict[str, ConnectionRow] = {}
        self.add = link(self.tr("Add a connection"), self)
        self.add.clicked.connect(self.add_requested)
        self._card = Card(self)
        text = self.tr(
            "Models on other computers, or in other programs on this one, can answer here too. Nothing you write is "
            "sent to a server before you choose one of its models."
        )
        self._empty = label("pageText", text, self._card, wraps=True)
        head = QHBoxLayout()
        head.setContentsMargins(2, 0, 0, 0)
        head.addWidget(label("sectionTitle", self.tr("Connections"), self), 1)
        head.addWidget(self.add)
        self._inside = QVBoxLayout(self._card)
        self._inside.setContentsMargins(18, 10, 10, 10)
        self._inside.setSpacing(10)
        self._inside.addWidget(self._empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self._card)

    def show_states(self, states: Sequence[ConnectionState]) -> None:
        if tuple(self.rows) != tuple(each.connection.id for each in states):
            self._make_rows(states)
        for state in states:
            self.rows[state.connection.id].show_state(state)
        self._empty.setVisible(not states)

    def _make_rows(self, states: Sequence[ConnectionState]) -> None:
        had_focus = any(row.isAncestorOf(self.focusWidget()) for row in self.rows.values() if self.focusWidget())
        for row in self.rows.values():
            self._inside.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = {each.connection.id: self._row(each.connection.id) for each in states}
        for row in self.rows.values():
            self._inside.addWidget(row)
        set_tab_order(self.add, *(button for row in self.rows.values() for button in row.buttons))
        if had_focus:
            self.add.setFocus()

    def _row(self, connection_id: str) -> ConnectionRow:
        row = ConnectionRow(self._theme, self._card)
        row.test.clicked.connect(lambda: self.test_requested.emit(connection_id))
        row.edit.clicked.connect(lambda: self.edit_requested.emit(connection_id))
        row.remove.clicked.connect(lambda: self._confirm_removal(connection_id))
        return row

    def _confirm_removal(self, connection_id: str) -> None:
        row = self.rows[connection_id]
        menu = QMenu(self)
        menu.setObjectName("confirmRemoval")
        text = button_text(self.tr("Remove {name} and its key").format(name=row.name.text()))
        action = menu.addAction(
            self._theme.icon("trash-2", "accent"), text, lambda: self.remove_requested.emit(connection_id)
        )
        menu.setActiveAction(action)
        menu.aboutToHide.connect(menu.deleteLater)
        right = row.remove.mapToGlobal(row.remove.rect().bottomRight())
        menu.popup(QPoint(right.x() - menu.sizeHint().width(), right.y() + 2))


class ConnectionRow(QWidget):
    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.name = label("keyName", "", self)
        self._address = label("cardLabel", "", self, wraps=True)
        self.state = label("settingHelp", "", self, wraps=True)
        self.test = IconButton(theme, "refresh-cw", "", self)
        self.edit = IconButton(theme, "pencil", "", self)
        self.remove = IconButton(theme, "trash-2", "", self)
        texts = QVBoxLayout()
        texts.setSpacing(1)
        for widget in (self.name, self._address, self.state):
            texts.addWidget(widget)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addLayout(texts, 1)
        for button in self.buttons:
            row.addWidget(button)

    @property
    def buttons(self) -> tuple[IconButton, ...]:
        return self.test, self.edit, self.remove

    def show_state(self, state: ConnectionState) -> None:
        name = state.connection.name
        self.name.setText(name)
        self._address.setText(" · ".join(filter(None, (strings.address(state.connection), strings.key_place(state)))))
        self.state.setText(strings.state_line(state))
        set_style_flag(self.state, "wrong", state.stage == "failed")
        self.test.show_icon("refresh-cw", self.tr("Test the connection to {name}").format(name=name))
        self.edit.show_icon("pencil", self.tr("Edit the connection to {name}").format(name=name))
        self.remove.show_icon("trash-2", self.tr("Remove the connection to {name}").format(name=name))
        self.test.setEnabled(state.stage != "asking" or self.test.hasFocus())

"""Card with the API keys: shows the usage of each key; creates, copies and revokes keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QVBoxLayout, QWidget

from desktop.endpoint import strings
from desktop.endpoint.activity import KeyUsage
from desktop.platform.text_escaping import button_text, tooltip_text
from desktop.platform.theme import Theme
from desktop.widgets.card_parts import Card, IconButton, label, link
from desktop.widgets.copy_button import CopyButton
from desktop.widgets.tab_order import set_tab_order
from desktop.widgets.text_composition import CompositionGuard
from desktop.widgets.text_lines import CodeLine

MAX_NAME_LENGTH = 64


class ApiKeysCard(Card):
    """Card with a row for each API key. Its signals carry the name of a key."""

    add_requested = Signal(str)
    revoke_requested = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._own_key = ""
        self._rows_by_name: dict[str, KeyRow] = {}
        self._new_link = link(self.tr("New key"), self)
        self._new_link.clicked.connect(self._enter_name)
        self._name = _NameField(self)
        self._name.returnPressed.connect(self._create)
        self._name.cancelled.connect(self._close)
        self._new_key = NewKeyPanel(theme, self)
        self._new_key.done.connect(self._close)
        head = QHBoxLayout()
        head.addWidget(label("cardLabel", self.tr("Keys"), self), 1)
        head.addWidget(self._new_link)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 12, 12, 12)
        column.setSpacing(6)
        column.addLayout(head)
        column.addLayout(self._rows)
        column.addWidget(self._name)
        column.addWidget(self._new_key)
        column.addStretch(1)
        self._name.hide()
        self._new_key.hide()

    def show_own_key(self, key: str) -> None:
        """Set the value of the endpoint's own key. The copy button in the row of this key copies the value."""
        self._own_key = key

    def show_keys(self, keys: Sequence[KeyUsage]) -> None:
        if tuple(self._rows_by_name) != tuple(key.name for key in keys):
            for row in self._rows_by_name.values():
                self._rows.removeWidget(row)
                row.hide()
                row.deleteLater()
            self._rows_by_name = {key.name: self._row(key) for key in keys}
            for row in self._rows_by_name.values():
                self._rows.addWidget(row)
            set_tab_order(self._new_link, *(row.button for row in self._rows_by_name.values()))
        for key in keys:
            self._rows_by_name[key.name].show_usage(strings.key_usage(key))

    def show_new_key(self, name: str, value: str) -> None:
        """Show the value of a new key until the user presses Done."""
        self._name.clear()
        self._name.hide()
        self._new_link.setEnabled(False)
        self._new_key.show_key(name, value)
        self._new_key.show()

    def _row(self, key: KeyUsage) -> KeyRow:
        row = KeyRow(self._theme, key, lambda: self._own_key, self)
        if not key.own:
            row.button.clicked.connect(lambda: self._confirm_revoking(key.name))
        return row

    def _confirm_revoking(self, name: str) -> None:
        button = self._rows_by_name[name].button
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        text = self.tr("Revoke the key of “{name}”").format(name=name)
        shown = button_text(text)
        action = menu.addAction(self._theme.icon("trash-2", "accent"), shown, lambda: self.revoke_requested.emit(name))
        menu.setActiveAction(action)
        right = button.mapToGlobal(button.rect().bottomRight())
        menu.popup(QPoint(right.x() - menu.sizeHint().width(), right.y() + 2))

    def _enter_name(self) -> None:
        self._name.show()
        self._name.setFocus()

    def _create(self) -> None:
        if name := self._name.text().strip():
            self.add_requested.emit(name)

    def _close(self) -> None:
        self._new_key.clear()
        for part in (self._name, self._new_key):
            part.hide()
        self._name.clear()
        self._new_link.setEnabled(True)
        self._new_link.setFocus()


class KeyRow(QWidget):
    def __init__(self, theme: Theme, key: KeyUsage, own_key: Callable[[], str], parent: QWidget) -> None:
        """`own_key` returns the value of the endpoint's own key."""
        super().__init__(parent)
        self.setFixedHeight(28)
        name = label("keyName", "", self)
        name.setText(name.fontMetrics().elidedText(key.name, Qt.TextElideMode.ElideRight, 120))
        name.setToolTip(self.tr("The endpoint's own key") if key.own else tooltip_text(key.name))
        self._usage = label("pageText", "", self)
        if key.own:
            copy = self.tr("Copy the key of “{name}”").format(name=key.name)
            self.button: IconButton = CopyButton(theme, copy, own_key, self)
        else:
            revoke = self.tr("Revoke the key of “{name}”").format(name=key.name)
            self.button = IconButton(theme, "trash-2", revoke, self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(name)
        row.addStretch(1)
        row.addWidget(self._usage)
        row.addWidget(self.button)

    def show_usage(self, text: str) -> None:
        self._usage.setText(text)


class NewKeyPanel(QWidget):
    """Shows the value of a new key, with buttons to copy it and to close."""

    done = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._note = label("pageText", "", self, wraps=True)
        self.line = CodeLine(self)
        self.line.setAccessibleName(self.tr("New key"))
        self.copy = CopyButton(theme, self.tr("Copy the new key"), self.line.text, self)
        done = link(self.tr("Done"), self)
        done.clicked.connect(self.done)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.line, 1)
        row.addWidget(self.copy)
        row.addWidget(done)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._note)
        column.addLayout(row)

    def show_key(self, name: str, value: str) -> None:
        self._note.setText(self.tr("The key of “{name}”. It is shown only once: copy it now.").format(name=name))
        self.line.show_text(value)
        self.copy.setFocus()

    def clear(self) -> None:
        self.line.show_text("")


class _NameField(QLineEdit):
    """Field for the name of a new key. The Escape key emits `cancelled`."""

    cancelled = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("field")
        self.setMaxLength(MAX_NAME_LENGTH)
        self.setPlaceholderText(self.tr("Name of the tool, then Enter"))
        self.setAccessibleName(self.tr("Name of the new key"))
        CompositionGuard(self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)

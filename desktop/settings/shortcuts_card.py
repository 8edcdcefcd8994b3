"""The card of the settings page that lists all shortcuts and lets the user change them."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop.framework.actions import Actions, is_usable

MIN_WIDTH, SPACE_BESIDE = 150, 56
"""In pixels: the least width of a field, and the width of its margins and its clear button."""


class ShortcutField(QKeySequenceEdit):
    """A field for one key combination, wide enough for its text. Shows "none" while it is empty. Qt sets its own
    placeholder text after each change; this class replaces that text."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setMaximumSequenceLength(1)
        self.setClearButtonEnabled(True)
        self._line = self.findChild(QLineEdit)
        self.keySequenceChanged.connect(self._fit)
        self._fit()
        self.show_none()

    def show_none(self) -> None:
        if self._line is not None:
            self._line.setPlaceholderText(self.tr("none"))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def _fit(self) -> None:
        text = self.keySequence().toString(QKeySequence.SequenceFormat.NativeText)
        self.setMinimumWidth(max(MIN_WIDTH, self.fontMetrics().horizontalAdvance(text) + SPACE_BESIDE))

    def event(self, event: QEvent) -> bool:
        handled = super().event(event)
        if self._line is not None and self._line.placeholderText() != self.tr("none"):
            self.show_none()
        return handled


class ShortcutsCard(QFrame):
    """Lists each action with a field for its shortcut. GUI thread only."""

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._actions = actions
        self._edits: dict[str, ShortcutField] = {}
        self.setObjectName("card")
        title = QLabel(self.tr("Shortcuts"), self)
        title.setObjectName("cardTitle")
        about = QLabel(self.tr("Click a shortcut and press the new keys. Backspace removes it."), self)
        about.setObjectName("quietText")
        self._alert = QLabel(self)
        self._alert.setObjectName("alertText")
        self._alert.setWordWrap(True)
        self._alert.hide()
        reset = QPushButton(self.tr("Reset all shortcuts"), self)
        reset.setObjectName("plain")
        reset.clicked.connect(actions.reset_shortcuts)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(0, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 14, 18, 16)
        column.setSpacing(10)
        for widget in (title, about, self._alert):
            column.addWidget(widget)
        column.addLayout(self._grid)
        column.addWidget(reset, alignment=Qt.AlignmentFlag.AlignLeft)
        actions.added.connect(self._add_rows)
        actions.shortcuts_changed.connect(self._show_shortcuts)
        self._add_rows()

    def _show_shortcuts(self) -> None:
        for action_id in self._edits:
            self._show_shortcut(action_id)
        self._alert.hide()

    def _add_rows(self) -> None:
        """Adds rows for the actions that have none yet."""
        for action in self._actions.listed:
            if action.id in self._edits:
                continue
            words = QLabel(action.name, self)
            edit = ShortcutField(self)
            words.setWordWrap(True)
            edit.setAccessibleName(self.tr("Shortcut for: {action}").format(action=action.name))
            edit.editingFinished.connect(lambda action_id=action.id: self._chosen(action_id))
            words.setBuddy(edit)
            self._edits[action.id] = edit
            row = self._grid.rowCount()
            self._grid.addWidget(words, row, 0)
            self._grid.addWidget(edit, row, 1)
            self._show_shortcut(action.id)

    def _show_shortcut(self, action_id: str) -> None:
        edit = self._edits[action_id]
        edit.setKeySequence(QKeySequence(self._actions.shortcut_of(action_id)))
        edit.show_none()

    def _chosen(self, action_id: str) -> None:
        keys = self._edits[action_id].keySequence().toString(QKeySequence.SequenceFormat.PortableText)
        if keys and not is_usable(keys):
            self._show_shortcut(action_id)
            words = self.tr("{key} is needed for writing. Press it together with Ctrl or Alt, or use F1 to F12.")
            key = QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
            self._alert.setText(words.format(key=key))
            self._alert.show()
        elif keys != self._actions.shortcut_of(action_id):
            self._change(action_id, keys)

    def _change(self, action_id: str, keys: str) -> None:
        if (holder := self._actions.change_shortcut(action_id, keys)) is not None:
            self._show_shortcut(action_id)
            self._alert.setText(self.tr("This shortcut is used by: {action}.").format(action=holder.name))
            self._alert.show()

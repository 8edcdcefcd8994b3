"""Every action with its key, which can be changed."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
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


class ShortcutField(QKeySequenceEdit):
    """Takes one key. In an empty field Qt writes words of its own, and again after each change; here "none" stands."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setMaximumSequenceLength(1)
        self.setClearButtonEnabled(True)
        self.setMinimumWidth(150)  # more for large text
        self._line = self.findChild(QLineEdit)
        self.show_none()

    def show_none(self) -> None:
        if self._line is not None:
            self._line.setPlaceholderText(self.tr("none"))

    def event(self, event: QEvent) -> bool:
        handled = super().event(event)
        if self._line is not None and self._line.placeholderText() != self.tr("none"):
            self.show_none()
        return handled


class ShortcutsCard(QFrame):
    """Shows and emits; GUI thread only."""

    keys_chosen = Signal(str, str)
    """An action's id, and the key in Qt's portable notation."""
    reset_requested = Signal()

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._actions = actions
        self._edits: dict[str, ShortcutField] = {}
        self.setObjectName("card")
        title = QLabel(self.tr("Keyboard"), self)
        title.setObjectName("cardTitle")
        about = QLabel(self.tr("Click a key and press another one. Backspace takes it away."), self)
        about.setObjectName("quietText")
        self._alert = QLabel(self)
        self._alert.setObjectName("alertText")
        self._alert.setWordWrap(True)
        self._alert.hide()
        reset = QPushButton(self.tr("All keys as they were"), self)
        reset.setObjectName("plain")
        reset.clicked.connect(self.reset_requested)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 14, 18, 16)
        column.setSpacing(10)
        for widget in (title, about, self._alert):
            column.addWidget(widget)
        column.addLayout(self._grid())
        column.addWidget(reset, alignment=Qt.AlignmentFlag.AlignLeft)
        actions.keys_changed.connect(self.show_keys)
        self.show_keys()

    def show_keys(self) -> None:
        for action_id in self._edits:
            self._show_key(action_id)
        self._alert.hide()

    def refuse(self, action_id: str, holder: str) -> None:
        """The key belongs to another action, whose words are `holder`."""
        self._show_key(action_id)
        self._alert.setText(self.tr("That key is taken: {action}.").format(action=holder))
        self._alert.show()

    def _grid(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(0, 1)
        for row, action in enumerate(self._actions.all):
            words = QLabel(action.words, self)
            edit = ShortcutField(self)
            words.setWordWrap(True)
            edit.setAccessibleName(self.tr("Key for: {action}").format(action=action.words))
            edit.editingFinished.connect(lambda action_id=action.id: self._chosen(action_id))
            words.setBuddy(edit)
            self._edits[action.id] = edit
            grid.addWidget(words, row, 0)
            grid.addWidget(edit, row, 1)
        return grid

    def _show_key(self, action_id: str) -> None:
        edit = self._edits[action_id]
        edit.setKeySequence(QKeySequence(self._actions.shortcut_of(action_id)))
        edit.show_none()

    def _chosen(self, action_id: str) -> None:
        keys = self._edits[action_id].keySequence().toString(QKeySequence.SequenceFormat.PortableText)
        if keys and not is_usable(keys):
            self._show_key(action_id)
            words = self.tr("{key} is needed for writing. Press it together with Ctrl or Alt, or use F1 to F12.")
            key = QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
            self._alert.setText(words.format(key=key))
            self._alert.show()
        elif keys != self._actions.shortcut_of(action_id):
            self.keys_chosen.emit(action_id, keys)

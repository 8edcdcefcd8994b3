"""The field in which one looks for a chat."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QToolButton, QWidget

from desktop.platform.bidi import is_mirrored
from desktop.platform.theme import Theme
from desktop.widgets.text_composition import CompositionGuard


class SearchField(QLineEdit):
    """Escape empties it, Enter and Down go on to what was found."""

    enter_pressed = Signal()
    down_pressed = Signal()
    left = Signal()
    """Escape in an empty field: the person is done here."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("search")
        self.setPlaceholderText(self.tr("Search"))
        self.setAccessibleName(self.tr("Search all chats"))
        self.setFixedHeight(34)
        self.setTextMargins(28, 0, 28, 0)
        self._lens = QLabel(self)
        self._keys = QLabel(self.tr("Ctrl Shift F"), self)
        self._keys.setObjectName("shortcut")
        self._clear = QToolButton(self)
        self._clear.setObjectName("quiet")
        self._clear.setAccessibleName(self.tr("Leave the search"))
        self._clear.setToolTip(self.tr("Leave the search (Esc)"))
        self._clear.clicked.connect(self.clear)
        row = QHBoxLayout(self)
        row.setContentsMargins(*((4, 0, 10, 0) if is_mirrored() else (10, 0, 4, 0)))
        row.addWidget(self._lens)
        row.addStretch(1)
        row.addWidget(self._keys)
        row.addWidget(self._clear)
        self._keys.setContentsMargins(6, 0, 6, 0)
        if is_mirrored():  # a placeholder in another script would begin under the key's name
            self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignAbsolute)
        self.textChanged.connect(self._restyle)
        CompositionGuard(self)
        theme.changed.connect(self._restyle)
        self._restyle()

    def event(self, event: QEvent) -> bool:
        """Here, Escape is the field's own, not the window's key to stop an answer."""
        match event:
            case QKeyEvent() if event.type() == QEvent.Type.ShortcutOverride and event.key() == Qt.Key.Key_Escape:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        match event.key():
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self.enter_pressed.emit()
            case Qt.Key.Key_Down:
                self.down_pressed.emit()
            case Qt.Key.Key_Escape if self.text():
                self.clear()
            case Qt.Key.Key_Escape:
                self.left.emit()
            case _:
                super().keyPressEvent(event)

    def _restyle(self) -> None:
        self._lens.setPixmap(self._theme.pixmap("search", "muted", 16, self.devicePixelRatioF()))
        self._clear.setIcon(self._theme.icon("x", "muted"))
        self._clear.setVisible(bool(self.text()))
        self._keys.setVisible(not self.text())

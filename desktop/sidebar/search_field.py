"""The search field of the sidebar."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QToolButton, QWidget

from desktop.platform.bidi import is_mirrored
from desktop.platform.theme import Theme
from desktop.widgets.text_composition import CompositionGuard


class SearchField(QLineEdit):
    """A text field. Escape clears it, Enter opens the first search result, and Down moves the focus to the results."""

    enter_pressed = Signal()
    down_pressed = Signal()
    left = Signal()
    """Escape was pressed while the field was empty."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("search")
        self.setPlaceholderText(self.tr("Search"))
        self.setAccessibleName(self.tr("Search all chats"))
        self.setFixedHeight(34)
        self.setTextMargins(28, 0, 28, 0)
        self._icon = QLabel(self)
        self._shortcut = QLabel(self.tr("Ctrl Shift F"), self)
        self._shortcut.setObjectName("shortcut")
        self._clear = QToolButton(self)
        self._clear.setObjectName("quiet")
        self._clear.setAccessibleName(self.tr("Clear the search"))
        self._clear.setToolTip(self.tr("Clear the search (Esc)"))
        self._clear.clicked.connect(self.clear)
        row = QHBoxLayout(self)
        row.setContentsMargins(*((4, 0, 10, 0) if is_mirrored() else (10, 0, 4, 0)))
        row.addWidget(self._icon)
        row.addStretch(1)
        row.addWidget(self._shortcut)
        row.addWidget(self._clear)
        self._shortcut.setContentsMargins(6, 0, 6, 0)
        if is_mirrored():  # a placeholder aligned to the left would overlap the label of the shortcut
            self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignAbsolute)
        self.textChanged.connect(self._restyle)
        CompositionGuard(self)
        theme.changed.connect(self._restyle)
        self._restyle()

    def event(self, event: QEvent) -> bool:
        """Accepts Escape, which is otherwise the window's shortcut to stop an answer."""
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
        self._icon.setPixmap(self._theme.pixmap("search", "muted", 16, self.devicePixelRatioF()))
        self._clear.setIcon(self._theme.icon("x", "muted"))
        self._clear.setVisible(bool(self.text()))
        self._shortcut.setVisible(not self.text())

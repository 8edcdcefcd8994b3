"""The head of the models' page: what this computer is, where to look, what to add."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from desktop.models import strings
from desktop.models.model_row import Room
from desktop.platform.theme import Theme
from desktop.widgets.card_parts import IconButton, label
from desktop.widgets.sidebar_button import SidebarButton
from desktop.widgets.text_composition import CompositionGuard

WORDS_FROM = 640
"""The width from which on the buttons have words on them."""


class ModelsPageHeader(QWidget):
    folder_requested = Signal()
    file_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.sidebar_button = SidebarButton(theme, self)
        self.machine = label("pageText", strings.machine(Room()), self, wraps=True)
        self.search = ModelSearch(theme, self)
        self.open_file = self._button(self.tr("Open a file"))
        self.open_file.clicked.connect(self.file_requested)
        self.add_folder = self._button(self.tr("Add a folder"))
        self.add_folder.clicked.connect(self.folder_requested)
        texts = QVBoxLayout()
        texts.setSpacing(10)
        texts.addWidget(label("pageTitle", self.tr("Models"), self))
        texts.addWidget(self.machine)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.sidebar_button, alignment=Qt.AlignmentFlag.AlignTop)
        top.addLayout(texts, 1)
        tools = QHBoxLayout()
        tools.setSpacing(8)
        tools.addWidget(self.search, 340)
        tools.addStretch(100)
        tools.addWidget(self.open_file)
        tools.addWidget(self.add_folder)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(18)
        column.addLayout(top)
        column.addLayout(tools)
        theme.changed.connect(self._restyle)
        self._restyle()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for button in (self.open_file, self.add_folder):  # where it is narrow, the search needs their words' room
            button.setText(f" {button.accessibleName()}" if self.width() >= WORDS_FROM else "")

    def show_room(self, room: Room) -> None:
        self.machine.setText(strings.machine(room))

    def _button(self, text: str) -> QPushButton:
        button = QPushButton(" " + text, self)
        button.setObjectName("plain")
        button.setAccessibleName(text)
        button.setToolTip(text)
        button.setIconSize(QSize(16, 16))
        button.setFixedHeight(34)
        return button

    def _restyle(self) -> None:
        self.add_folder.setIcon(self._theme.icon("folder-plus", "text"))
        self.open_file.setIcon(self._theme.icon("folder-open", "text"))


class ModelSearch(QLineEdit):
    """What is typed is looked for here; Enter asks the hub. Escape empties it."""

    asked = Signal(str)
    down_pressed = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("search")
        self.setPlaceholderText(self.tr("Search here and on Hugging Face"))
        self.setAccessibleName(self.tr("Search models"))
        self.setAccessibleDescription(self.tr("Models here are found as you type. Enter asks Hugging Face."))
        self.setFixedHeight(34)
        self.setMinimumWidth(170)
        self.setTextMargins(28, 0, 28, 0)
        self._lens = QLabel(self)
        self._clear = IconButton(theme, "x", self.tr("Leave the search"), self)
        self._clear.clicked.connect(self.clear)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 0, 4, 0)
        row.addWidget(self._lens)
        row.addStretch(1)
        row.addWidget(self._clear)
        self.textChanged.connect(self._restyle)
        CompositionGuard(self)
        theme.changed.connect(self._restyle)
        self._restyle()

    def event(self, event: QEvent) -> bool:
        """Here, Escape is the field's own, not the window's key to stop an answer."""
        match event:
            case QKeyEvent() if (
                event.type() == QEvent.Type.ShortcutOverride and event.key() == Qt.Key.Key_Escape and self.text()
            ):
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        match event.key():
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self.asked.emit(self.text())
            case Qt.Key.Key_Down:
                self.down_pressed.emit()
            case Qt.Key.Key_Escape if self.text():
                self.clear()
            case _:
                super().keyPressEvent(event)

    def _restyle(self) -> None:
        self._lens.setPixmap(self._theme.pixmap("search", "muted", 16, self.devicePixelRatioF()))
        self._clear.setVisible(bool(self.text()))

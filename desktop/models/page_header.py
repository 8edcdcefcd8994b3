"""Header of the models page: summary of this computer, search field, and buttons to add files and folders."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from desktop.models import strings
from desktop.models.card_lines import CardLines
from desktop.models.machine_capacity import MachineCapacity
from desktop.platform.theme import Theme
from desktop.widgets.card_parts import IconButton
from desktop.widgets.page_title import PageTitle
from desktop.widgets.text_composition import CompositionGuard

MIN_WIDTH_FOR_LABELS = 640
"""Width in pixels. In a narrower header the buttons show only their icons, to leave space for the search field."""


class ModelsPageHeader(QWidget):
    folder_requested = Signal()
    file_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._title = PageTitle(theme, self.tr("Models"), strings.machine_summary(MachineCapacity()), self)
        self.sidebar_button = self._title.sidebar_button
        self.cards = CardLines(self)
        self.search = ModelSearch(theme, self)
        self.open_file = self._button(self.tr("Open a file"))
        self.open_file.clicked.connect(self.file_requested)
        self.add_folder = self._button(self.tr("Add a folder"))
        self.add_folder.clicked.connect(self.folder_requested)
        tools = QHBoxLayout()
        tools.setSpacing(8)
        tools.addWidget(self.search, 340)
        tools.addStretch(100)
        tools.addWidget(self.open_file)
        tools.addWidget(self.add_folder)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(18)
        self._title.add_below(self.cards)
        column.addWidget(self._title)
        column.addLayout(tools)
        theme.changed.connect(self._restyle)
        self._restyle()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for button in (self.open_file, self.add_folder):
            button.setText(f" {button.accessibleName()}" if self.width() >= MIN_WIDTH_FOR_LABELS else "")

    def show_capacity(self, capacity: MachineCapacity) -> None:
        self._title.about.setText(strings.machine_summary(capacity))

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
    """The search field. Typing filters the lists of models, Enter searches the hub, Escape clears the field."""

    search_requested = Signal(str)
    down_pressed = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("search")
        self.setPlaceholderText(self.tr("Search here and on Hugging Face"))
        self.setAccessibleName(self.tr("Search models"))
        self.setAccessibleDescription(self.tr("Filters the models as you type. Enter searches Hugging Face."))
        self.setFixedHeight(34)
        self.setMinimumWidth(170)
        self.setTextMargins(28, 0, 28, 0)
        self._icon = QLabel(self)
        self._clear = IconButton(theme, "x", self.tr("Clear the search"), self)
        self._clear.clicked.connect(self.clear)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 0, 4, 0)
        row.addWidget(self._icon)
        row.addStretch(1)
        row.addWidget(self._clear)
        self.textChanged.connect(self._restyle)
        CompositionGuard(self)
        theme.changed.connect(self._restyle)
        self._restyle()

    def event(self, event: QEvent) -> bool:
        """Handle the Escape key before the window does. The window would stop an answer."""
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
                self.search_requested.emit(self.text())
            case Qt.Key.Key_Down:
                self.down_pressed.emit()
            case Qt.Key.Key_Escape if self.text():
                self.clear()
            case _:
                super().keyPressEvent(event)

    def _restyle(self) -> None:
        self._icon.setPixmap(self._theme.pixmap("search", "muted", 16, self.devicePixelRatioF()))
        self._clear.setVisible(bool(self.text()))

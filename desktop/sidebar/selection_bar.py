"""The bar below the chat list that is visible while several chats are selected. It shows their number, and buttons."""

from __future__ import annotations

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QWidget

from desktop.platform.number_format import whole
from desktop.platform.theme import Theme


class SelectionBar(QFrame):
    pin_requested = Signal()
    move_requested = Signal()
    archive_requested = Signal()
    delete_requested = Signal()
    leave_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._n = 0
        self._icons: dict[QToolButton, str] = {}
        self.setObjectName("selectionBar")
        self.setFixedHeight(38)
        self._count = QLabel(self)
        self._count.setObjectName("selectionCount")
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 0, 2, 0)
        row.setSpacing(0)
        row.addWidget(self._count, 1)
        for icon, text, signal in (
            ("pin", self.tr("Pin or unpin the selected chats"), self.pin_requested),
            ("folder", self.tr("Move the selected chats to a folder"), self.move_requested),
            ("archive", self.tr("Archive or unarchive the selected chats"), self.archive_requested),
            ("trash-2", self.tr("Delete the selected chats"), self.delete_requested),
            ("x", self.tr("Clear the selection (Esc)"), self.leave_requested),
        ):
            row.addWidget(self._button(icon, text, signal))
        theme.changed.connect(self._restyle)
        self._restyle()
        self.hide()

    def show_count(self, n: int) -> None:
        """Shows the number of selected chats. 0 hides the bar."""
        self._n = n
        self.setAccessibleName(self._text())
        self._fit()
        self.setVisible(n > 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _text(self) -> str:
        return self.tr("{n} chosen").format(n=whole(self._n))

    def _fit(self) -> None:
        """Shows the text with the number of chats, or only the number if the text does not fit beside the buttons."""
        text, buttons = self._text(), sum(button.sizeHint().width() for button in self._icons)
        fits = self._count.fontMetrics().horizontalAdvance(text) + buttons + 16 <= self.width()
        self._count.setText(text if fits else whole(self._n))

    def _button(self, icon: str, text: str, signal: SignalInstance) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName("quiet")
        button.setAccessibleName(text)
        button.setToolTip(text)
        button.clicked.connect(signal)
        self._icons[button] = icon
        return button

    def _restyle(self) -> None:
        for button, icon in self._icons.items():
            button.setIcon(self._theme.icon(icon, "muted"))
        self._fit()

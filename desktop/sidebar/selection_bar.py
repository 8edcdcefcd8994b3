"""The line under the list while several chats are chosen: how many, and what to do with them."""

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
    left = Signal()

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
        for icon, words, asked in (
            ("pin", self.tr("Pin or unpin the chosen chats"), self.pin_requested),
            ("folder", self.tr("Move the chosen chats to a folder"), self.move_requested),
            ("archive", self.tr("Archive the chosen chats, or bring them back"), self.archive_requested),
            ("trash-2", self.tr("Delete the chosen chats"), self.delete_requested),
            ("x", self.tr("Choose none (Esc)"), self.left),
        ):
            row.addWidget(self._button(icon, words, asked))
        theme.changed.connect(self._restyle)
        self._restyle()
        self.hide()

    def show_count(self, n: int) -> None:
        """Hides with 0."""
        self._n = n
        self.setAccessibleName(self._words())
        self._fit()
        self.setVisible(n > 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _words(self) -> str:
        return self.tr("{n} chosen").format(n=whole(self._n))

    def _fit(self) -> None:
        """The words, or where they do not fit beside the buttons, the number alone."""
        words, buttons = self._words(), sum(button.sizeHint().width() for button in self._icons)
        fits = self._count.fontMetrics().horizontalAdvance(words) + buttons + 16 <= self.width()
        self._count.setText(words if fits else whole(self._n))

    def _button(self, icon: str, words: str, asked: SignalInstance) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName("quiet")
        button.setAccessibleName(words)
        button.setToolTip(words)
        button.clicked.connect(asked)
        self._icons[button] = icon
        return button

    def _restyle(self) -> None:
        for button, icon in self._icons.items():
            button.setIcon(self._theme.icon(icon, "muted"))
        self._fit()

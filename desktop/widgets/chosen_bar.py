"""The line under the list while several chats are chosen: how many, and what to do with them."""

from __future__ import annotations

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QWidget

from desktop.numbers import whole
from desktop.theme import Theme


class ChosenBar(QFrame):
    pin_asked = Signal()
    move_asked = Signal()
    archive_asked = Signal()
    delete_asked = Signal()
    left = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._icons: dict[QToolButton, str] = {}
        self.setObjectName("chosenBar")
        self.setFixedHeight(38)
        self._count = QLabel(self)
        self._count.setObjectName("chosenCount")
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 0, 2, 0)
        row.setSpacing(0)
        row.addWidget(self._count, 1)
        for icon, words, asked in (
            ("pin", self.tr("Pin or unpin the chosen chats"), self.pin_asked),
            ("folder", self.tr("Move the chosen chats to a folder"), self.move_asked),
            ("archive", self.tr("Archive the chosen chats, or bring them back"), self.archive_asked),
            ("trash-2", self.tr("Delete the chosen chats"), self.delete_asked),
            ("x", self.tr("Choose none (Esc)"), self.left),
        ):
            row.addWidget(self._button(icon, words, asked))
        theme.changed.connect(self._restyle)
        self._restyle()
        self.hide()

    def show_count(self, n: int) -> None:
        """Hides with 0."""
        words = self.tr("{n} chosen").format(n=whole(n))
        self._count.setText(words)
        self.setAccessibleName(words)
        self.setVisible(n > 0)

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

"""Small widgets over the transcript: the button that scrolls to the end, and the address of the link under the
mouse."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QAbstractScrollArea, QLabel, QToolButton

from desktop.platform.theme import Theme

SHOWN_FROM_PX = 80
"""The button is shown if the end of the chat is more than this many pixels away."""


class EndButton(QToolButton):
    """The button that scrolls to the end of the chat. GUI thread only."""

    def __init__(self, theme: Theme, area: QAbstractScrollArea) -> None:
        super().__init__(area)
        self._area = area
        self._theme = theme
        self.setObjectName("toEnd")
        self.setAccessibleName(self.tr("Go to the end"))
        self.setToolTip(self.tr("Go to the end"))
        self.resize(QSize(32, 32))
        self.hide()
        theme.changed.connect(self._restyle)
        self._restyle()

    def update_position(self) -> None:
        """Shows or hides the button and places it, after the viewport or the scroll position has changed."""
        bar, viewport = self._area.verticalScrollBar(), self._area.viewport().geometry()
        self.setVisible(bar.maximum() - bar.value() > SHOWN_FROM_PX)
        self.move(viewport.center().x() - self.width() // 2, viewport.bottom() - self.height() - 8)

    def _restyle(self) -> None:
        self.setIcon(self._theme.icon("arrow-down", "muted"))


class LinkAddress(QLabel):
    """A label at the lower left with the address of the link under the mouse. GUI thread only."""

    def __init__(self, area: QAbstractScrollArea) -> None:
        super().__init__(area)
        self._area = area
        self.setObjectName("goesTo")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.hide()

    def show_address(self, address: str) -> None:
        """Shows an address; "" hides the label."""
        if address == self.text() and (not address or self.isVisible()):
            return
        self.setVisible(bool(address))
        self.setText(address)
        self.setMaximumWidth(self._area.width() - 16)
        self.adjustSize()
        self.move(8, self._area.height() - self.height() - 6)

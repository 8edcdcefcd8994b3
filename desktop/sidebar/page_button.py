"""A button of the sidebar that opens a page."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from desktop.framework.pages import Page
from desktop.platform.theme import Theme
from desktop.widgets.status_icons import dot_pixmap


class PageButton(QPushButton):
    """A button that is checked while its page is shown. A dot on it indicates that the feature of the page is
    running."""

    def __init__(self, theme: Theme, page: Page, parent: QWidget) -> None:
        super().__init__("  " + page.shown_title, parent)
        self._theme, self._icon = theme, page.icon
        self.setObjectName("place")
        self.setAccessibleName(page.shown_title)
        self.setCheckable(True)
        self.setFixedHeight(32)
        self.setIconSize(QSize(16, 16))
        self._dot = QLabel(self)
        self._dot.hide()
        row = QHBoxLayout(self)
        row.setContentsMargins(9, 0, 9, 0)
        row.addStretch(1)
        row.addWidget(self._dot)
        theme.changed.connect(self.restyle)
        self.restyle()

    def nextCheckState(self) -> None:
        """Does nothing: the sidebar checks the button when the page is shown."""

    def show_dot(self, shown: bool, accessible_name: str) -> None:
        self.setAccessibleName(accessible_name)
        self._dot.setVisible(shown)

    def restyle(self) -> None:
        self.setIcon(self._theme.icon(self._icon, "accent" if self.isChecked() else "text"))
        self._dot.setPixmap(dot_pixmap(self._theme, "ok", self.devicePixelRatioF()))

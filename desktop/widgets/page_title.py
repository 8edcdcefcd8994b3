"""The top of a page: the button that opens the sidebar, the title, and a sentence about the page."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.platform.theme import Theme
from desktop.widgets.card_parts import label
from desktop.widgets.sidebar_button import SidebarButton


class PageTitle(QWidget):
    def __init__(self, theme: Theme, title: str, about: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.sidebar_button = SidebarButton(theme, self)
        self.about = label("pageText", about, self, wraps=True)
        self._texts = QVBoxLayout()
        self._texts.setSpacing(10)
        self._texts.addWidget(label("pageTitle", title, self))
        self._texts.addWidget(self.about)
        self.about.setVisible(bool(about))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.sidebar_button, alignment=Qt.AlignmentFlag.AlignTop)
        row.addLayout(self._texts, 1)

    def add_below(self, widget: QWidget) -> None:
        """Add a widget below the sentence, aligned with it."""
        self._texts.addWidget(widget)

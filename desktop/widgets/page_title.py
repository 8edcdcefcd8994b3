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
        texts = QVBoxLayout()
        texts.setSpacing(10)
        texts.addWidget(label("pageTitle", title, self))
        texts.addWidget(self.about)
        self.about.setVisible(bool(about))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.sidebar_button, alignment=Qt.AlignmentFlag.AlignTop)
        row.addLayout(texts, 1)

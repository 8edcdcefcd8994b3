"""A page of the window that scrolls vertically."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from desktop.widgets.page_view import PageView

WIDTH = 772


class ScrollPage(PageView, QScrollArea):
    """A page whose body scrolls; a subclass fills the body. The object names for the style sheet are `<name>Page` and
    `<name>Body`."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"{name}Page")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._body = QWidget(self)
        self._body.setObjectName(f"{name}Body")

    def _put_in_the_middle(self, inner: QWidget) -> None:
        """Makes `inner` the only content of the body, no wider than `WIDTH`."""
        inner.setMaximumWidth(WIDTH)
        outer = QVBoxLayout(self._body)
        outer.setContentsMargins(36, 28, 36, 24)
        outer.addWidget(inner)
        self.setWidget(self._body)

"""A sheet at the right of a page. It is beside the content, or covers the whole page if the page is narrow."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop.platform.theme import Theme
from desktop.widgets.card_parts import ChoiceButton, IconButton

WIDTH = 348
MIN_PAGE_WIDTH = 380
"""The width in pixels that the content needs beside the sheet. In a narrower page, the sheet covers all of it."""


class SideSheet(QFrame):
    """The sheet, which is hidden at first. A subclass calls `_lay_out_sheet` and fills the returned column. GUI thread
    only."""

    opened = Signal()
    closed = Signal()
    taken_width_changed = Signal(int)
    """The content of the page must leave this width, in pixels, free on the right."""

    def __init__(self, theme: Theme, page: QWidget) -> None:
        super().__init__(page)
        self._theme = theme
        self._page = page
        self._taken = 0
        self.setObjectName("sheet")
        page.installEventFilter(self)
        self.hide()

    def open_sheet(self) -> None:
        self._scroll.verticalScrollBar().setValue(0)
        self.opened.emit()
        self._place()
        self.show()
        self.raise_()

    @property
    def is_beside(self) -> bool:
        """Whether the page is wide enough to show its content beside the sheet."""
        return self._page.width() - WIDTH >= MIN_PAGE_WIDTH

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._report_width()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._report_width()

    def close_sheet(self) -> bool:
        """Close the sheet. Returns False if it was closed already."""
        if self.isHidden():
            return False
        self.hide()
        self.closed.emit()
        return True

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._page and event.type() == QEvent.Type.Resize and not self.isHidden():
            self._place()
        return super().eventFilter(watched, event)

    def _lay_out_sheet(self, title: QLabel, close: str) -> QVBoxLayout:
        """Create the title bar and the scrollable column, and return the column. `close` is the accessible name of the
        close button.

        Call this after all focusable widgets were created, so that the close button is last in the tab order."""
        self.close_button = IconButton(self._theme, "x", close, self)
        self.close_button.clicked.connect(self.close_sheet)
        head = QHBoxLayout()
        head.setContentsMargins(20, 10, 10, 10)
        head.addWidget(title, 1)
        head.addWidget(self.close_button, alignment=Qt.AlignmentFlag.AlignTop)
        body = QWidget(self)
        body.setObjectName("sheetBody")
        column = QVBoxLayout(body)
        column.setContentsMargins(20, 0, 20, 20)
        self._scroll = scroll = QScrollArea(self)
        scroll.setObjectName("sheetScroll")
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(body)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(1, 0, 0, 0)
        outer.setSpacing(0)
        outer.addLayout(head)
        outer.addWidget(scroll, 1)
        return column

    def _place(self) -> None:
        width = WIDTH if self.is_beside else self._page.width()
        self.setGeometry(self._page.width() - width, 0, width, self._page.height())
        self._report_width()

    def _report_width(self) -> None:
        taken = WIDTH if self.is_beside and not self.isHidden() else 0
        if taken != self._taken:
            self._taken = taken
            self.taken_width_changed.emit(taken)


class Segments(QFrame):
    """A row of adjacent buttons of which exactly one is checked. `group` contains the buttons, with their index as
    id."""

    def __init__(self, texts: Iterable[str], accessible_name: str, parent: QWidget) -> None:
        """`accessible_name` is a template for the accessible names of the buttons. {choice} is replaced by the button's
        text."""
        super().__init__(parent)
        self.setObjectName("segments")
        self.group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 2, 2, 2)
        row.setSpacing(2)
        for number, text in enumerate(texts):
            button = ChoiceButton("segment", text, self)
            button.setAccessibleName(accessible_name.format(choice=text))
            self.group.addButton(button, number)
            row.addWidget(button, 1)

"""A sheet at the right of a page, as high as it is: beside what the page shows, or over all of a narrow one."""

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
LEAST_BESIDE = 380
"""What the page needs beside a sheet. Where less is left, the sheet takes the whole page, so that nothing of it is half
covered."""


class SideSheet(QFrame):
    """Hidden at first. A subclass calls `_lay_out_sheet` with what stands in it. GUI thread only."""

    closed = Signal()
    room_changed = Signal(int)
    """So many pixels at the right of the page are taken now: what the page shows stands beside them."""

    def __init__(self, theme: Theme, page: QWidget) -> None:
        super().__init__(page)
        self._theme = theme
        self._page = page
        self._taken = 0
        self.setObjectName("sheet")
        page.installEventFilter(self)
        self.hide()

    def open_sheet(self) -> None:
        self._put()
        self.show()
        self.raise_()

    @property
    def is_beside(self) -> bool:
        """Whether it leaves the page room enough to be used."""
        return self._page.width() - WIDTH >= LEAST_BESIDE

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._take_room()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._take_room()

    def close_sheet(self) -> bool:
        """False where it was closed already."""
        if self.isHidden():
            return False
        self.hide()
        self.closed.emit()
        return True

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._page and event.type() == QEvent.Type.Resize and not self.isHidden():
            self._put()
        return super().eventFilter(watched, event)

    def _lay_out_sheet(self, title: QLabel, close: str) -> QVBoxLayout:
        """The column that is to be filled; it scrolls where the page is too low. `close` names the button at the head.

        To be called when all that takes the focus is made, so that the button comes after it with the Tab key."""
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
        scroll = QScrollArea(self)
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

    def _put(self) -> None:
        width = WIDTH if self.is_beside else self._page.width()
        self.setGeometry(self._page.width() - width, 0, width, self._page.height())
        self._take_room()

    def _take_room(self) -> None:
        taken = WIDTH if self.is_beside and not self.isHidden() else 0
        if taken != self._taken:
            self._taken = taken
            self.room_changed.emit(taken)


class Segments(QFrame):
    """Buttons side by side, one of which is chosen; `group` knows them by their numbers."""

    def __init__(self, texts: Iterable[str], spoken: str, parent: QWidget) -> None:
        """`spoken` names a button, with its text in the place of {choice}."""
        super().__init__(parent)
        self.setObjectName("segments")
        self.group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 2, 2, 2)
        row.setSpacing(2)
        for number, text in enumerate(texts):
            button = ChoiceButton("segment", text, self)
            button.setAccessibleName(spoken.format(choice=text))
            self.group.addButton(button, number)
            row.addWidget(button, 1)

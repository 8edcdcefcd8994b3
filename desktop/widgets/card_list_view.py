"""A list in a card, in whose rows there are places to click."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

from PySide6.QtCore import QEvent, QModelIndex, QPoint, QRect, Qt
from PySide6.QtGui import QHelpEvent, QMouseEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QMenu, QToolTip, QWidget

from desktop.platform.text_escaping import button_text
from desktop.platform.theme import Theme, scaled
from desktop.widgets.card_row_delegate import CardRowDelegate
from desktop.widgets.row_list import KeyedList, Row

Act = TypeVar("Act", bound=str)


class CardListView(QListView, Generic[Row, Act]):
    """As high as its rows are: the page scrolls, not the list. A subclass says what can be done with a row."""

    def __init__(
        self, theme: Theme, rows: type[CardRowDelegate[Row]], name: str, parent: QWidget | None = None
    ) -> None:
        """`name` is that of its style."""
        super().__init__(parent)
        self._theme = theme
        self._rows = rows(theme, self)
        self._pressed: tuple[str, Act] | None = None
        self.setObjectName(name)
        self.setItemDelegate(self._rows)
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._open_menu)
        theme.changed.connect(self._fit_rows)

    # What a subclass says

    def _places(self, box: QRect, row: Row) -> Mapping[Act, QRect]:
        """What can be clicked in a row that stands there."""
        raise NotImplementedError

    def _do(self, act: Act, row: Row) -> None:
        raise NotImplementedError

    def _hint(self, row: Row, act: Act | None) -> str:
        """The tooltip where the mouse is on that act, or on nothing that can be clicked."""
        raise NotImplementedError

    def _facts(self, row: Row) -> Iterable[str]:
        """What stands at the top of the row's menu."""
        raise NotImplementedError

    def _fill_menu(self, menu: QMenu, row: Row) -> None:
        """With what can be done."""
        raise NotImplementedError

    # What it makes of it

    def set_list(self, rows: KeyedList[Row]) -> None:
        self.setModel(rows)
        for signal in (rows.rowsInserted, rows.rowsRemoved):
            signal.connect(self._fit_rows)
        self._fit_rows()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._point(event.position().toPoint())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        self._pressed = self._act_of(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """The first click did it, and the row that stands here now may be another."""
        super().mouseDoubleClickEvent(event)
        self._pressed = None

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        pressed, self._pressed = self._pressed, None
        row = self._row_of(self.indexAt(event.position().toPoint()))
        if row is not None and pressed is not None and pressed == self._act_of(event):
            self._do(pressed[1], row)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point(QPoint(-1, -1))

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            row = self._row_of(self.indexAt(event.pos()))
            text = self._hint(row, self._act_at(event.pos())) if row is not None else ""
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().viewportEvent(event)

    def _row_of(self, index: QModelIndex) -> Row | None:
        model = self.model()
        return model.at(index) if isinstance(model, KeyedList) else None

    def _n_rows(self) -> int:
        return self.model().rowCount() if self.model() is not None else 0

    def _fit_rows(self) -> None:
        self.setFixedHeight(self._n_rows() * scaled(self._rows.height))

    def _act_of(self, event: QMouseEvent) -> tuple[str, Act] | None:
        """What a button of the mouse is on: the row's key, and the act."""
        place, model = event.position().toPoint(), self.model()
        row, act = self._row_of(self.indexAt(place)), self._act_at(place)
        if (
            event.button() != Qt.MouseButton.LeftButton
            or not isinstance(model, KeyedList)
            or row is None
            or act is None
        ):
            return None
        return model.key_of(row), act

    def _act_at(self, place: QPoint) -> Act | None:
        index = self.indexAt(place)
        row = self._row_of(index)
        found = self._places(self.visualRect(index), row) if row is not None else {}
        return next((act for act, box in found.items() if box.contains(place)), None)

    def _point(self, place: QPoint) -> None:
        self._rows.pointed = place
        hand = self._act_at(place) is not None
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if hand else Qt.CursorShape.ArrowCursor)
        self.viewport().update()

    def _open_menu(self, place: QPoint) -> None:
        index = self.indexAt(place)
        row = self._row_of(index if index.isValid() else self.currentIndex())
        if row is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for line in self._facts(row):
            menu.addAction(button_text(line)).setEnabled(False)
        menu.addSeparator()
        self._fill_menu(menu, row)
        menu.popup(self.viewport().mapToGlobal(place))

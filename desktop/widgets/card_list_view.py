"""A list inside a card (a panel with a thin border). Its rows have clickable areas and a context menu."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

from PySide6.QtCore import QEvent, QModelIndex, QPoint, QRect, Qt
from PySide6.QtGui import QHelpEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QMenu, QToolTip, QWidget

from desktop.platform.text_escaping import button_text
from desktop.platform.theme import Theme
from desktop.widgets.card_row_delegate import CardRowDelegate
from desktop.widgets.row_list import KeyedList, Row

RowActionT = TypeVar("RowActionT", bound=str)


class CardListView(QListView, Generic[Row, RowActionT]):
    """A list view that is as high as all its rows, so that the page scrolls and not the list. Subclasses implement the
    methods that raise NotImplementedError."""

    def __init__(
        self, theme: Theme, delegate: type[CardRowDelegate[Row]], name: str, parent: QWidget | None = None
    ) -> None:
        """`name` is the object name that the style sheet uses."""
        super().__init__(parent)
        self._theme = theme
        self._delegate = delegate(theme, self)
        self._pressed_action: tuple[str, RowActionT] | None = None
        self.setObjectName(name)
        self.setItemDelegate(self._delegate)
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._open_menu)
        theme.changed.connect(self._fit_rows)

    def _action_rects(self, box: QRect, row: Row) -> Mapping[RowActionT, QRect]:
        """The clickable rectangles of a row that is painted in `box`, in viewport coordinates."""
        raise NotImplementedError

    def _perform(self, action: RowActionT, row: Row) -> None:
        raise NotImplementedError

    def _tooltip(self, row: Row, action: RowActionT | None) -> str:
        """The tooltip of a row. `action` is the action under the mouse; None if there is none."""
        raise NotImplementedError

    def _menu_header(self, row: Row) -> Iterable[str]:
        """The lines of text at the top of a row's context menu."""
        raise NotImplementedError

    def _fill_menu(self, menu: QMenu, row: Row) -> None:
        """Add the actions of a row to its context menu."""
        raise NotImplementedError

    def set_list(self, rows: KeyedList[Row]) -> None:
        self.setModel(rows)
        for signal in (rows.rowsInserted, rows.rowsRemoved):
            signal.connect(self._fit_rows)
        self._fit_rows()

    def resizeEvent(self, event: QResizeEvent) -> None:
        before, self._delegate.width = self._delegate.row_height, self.viewport().width()
        super().resizeEvent(event)
        if self._delegate.row_height != before:
            self.scheduleDelayedItemsLayout()
            self._fit_rows()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._set_mouse_pos(event.position().toPoint())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        self._pressed_action = self._clicked_action(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Ignore the second click: the first one may have put another row under the mouse."""
        super().mouseDoubleClickEvent(event)
        self._pressed_action = None

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        pressed, self._pressed_action = self._pressed_action, None
        row = self._row_of(self.indexAt(event.position().toPoint()))
        if row is not None and pressed is not None and pressed == self._clicked_action(event):
            self._perform(pressed[1], row)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._set_mouse_pos(QPoint(-1, -1))

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            row = self._row_of(self.indexAt(event.pos()))
            text = self._tooltip(row, self._action_at(event.pos())) if row is not None else ""
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().viewportEvent(event)

    def _row_of(self, index: QModelIndex) -> Row | None:
        model = self.model()
        return model.at(index) if isinstance(model, KeyedList) else None

    def _n_rows(self) -> int:
        return self.model().rowCount() if self.model() is not None else 0

    def _fit_rows(self) -> None:
        self.setFixedHeight(self._n_rows() * self._delegate.row_height)

    def _clicked_action(self, event: QMouseEvent) -> tuple[str, RowActionT] | None:
        """The key of the row and the action that the left mouse button has clicked; None if no action was clicked."""
        pos, model = event.position().toPoint(), self.model()
        row, action = self._row_of(self.indexAt(pos)), self._action_at(pos)
        if (
            event.button() != Qt.MouseButton.LeftButton
            or not isinstance(model, KeyedList)
            or row is None
            or action is None
        ):
            return None
        return model.key_of(row), action

    def _action_at(self, pos: QPoint) -> RowActionT | None:
        index = self.indexAt(pos)
        row = self._row_of(index)
        found = self._action_rects(self.visualRect(index), row) if row is not None else {}
        return next((action for action, box in found.items() if box.contains(pos)), None)

    def _set_mouse_pos(self, pos: QPoint) -> None:
        self._delegate.mouse_pos = pos
        hand = self._action_at(pos) is not None
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if hand else Qt.CursorShape.ArrowCursor)
        self.viewport().update()

    def _open_menu(self, pos: QPoint) -> None:
        index = self.indexAt(pos)
        row = self._row_of(index if index.isValid() else self.currentIndex())
        if row is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for line in self._menu_header(row):
            menu.addAction(button_text(line)).setEnabled(False)
        menu.addSeparator()
        self._fill_menu(menu, row)
        menu.popup(self.viewport().mapToGlobal(pos))

"""Card with the active and recent requests, which can be stopped or opened as a chat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from desktop.endpoint import strings
from desktop.endpoint.activity import ToolRequest
from desktop.endpoint.request_list import RequestList
from desktop.endpoint.request_row_delegate import RequestRowDelegate, RowAction, action_rects, columns
from desktop.platform.theme import Theme, text_font
from desktop.widgets.card_list_view import CardListView
from desktop.widgets.card_parts import Card, label, link, set_enabled
from desktop.widgets.switch import Switch

TITLES_HEIGHT = 38


class RequestsCard(Card):
    """Card with the list of requests. `stop_requested` and `open_requested` carry the id of a request."""

    stop_requested = Signal(str)
    stop_all_requested = Signal()
    open_requested = Signal(str)
    keep_bodies_toggled = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._list: RequestList | None = None
        self.stop_all = link(self.tr("Stop all"), self)
        self.stop_all.clicked.connect(self.stop_all_requested)
        self.view = RequestListView(theme, self)
        self.view.stop_requested.connect(self.stop_requested)
        self.view.open_requested.connect(self.open_requested)
        empty_text = self.tr("No requests yet. Requests of tools are listed here while they run.")
        self._empty = label("pageText", empty_text, self)
        self._empty.setContentsMargins(10, 10, 0, 10)
        self.keep = Switch(theme, self.tr("Keep request texts"), self)
        self.keep.toggled.connect(self.keep_bodies_toggled)
        self._lay_out(_ColumnTitles(theme, self))
        self._fit()

    def _lay_out(self, titles: QWidget) -> None:
        head = QHBoxLayout(titles)
        head.setContentsMargins(0, 0, 4, 0)
        head.addStretch(1)
        head.addWidget(self.stop_all)
        keep_text = self.tr(
            "Keep request texts, so that a request can be opened as a chat. They are deleted when Inglenook closes."
        )
        foot = QHBoxLayout()
        foot.setContentsMargins(10, 6, 4, 0)
        foot.setSpacing(12)
        foot.addWidget(label("pageText", keep_text, self, wraps=True), 1)
        foot.addWidget(self.keep)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 12)
        column.setSpacing(0)
        for widget in (titles, _Separator(self), self.view, self._empty, _Separator(self)):
            column.addWidget(widget)
        column.addLayout(foot)

    def set_list(self, requests: RequestList) -> None:
        self._list = requests
        self.view.set_list(requests)
        for signal in (requests.rowsInserted, requests.rowsRemoved, requests.dataChanged):
            signal.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        n_rows = len(self._list) if self._list is not None else 0
        self.view.setVisible(n_rows > 0)
        self._empty.setVisible(n_rows == 0)
        set_enabled(self.stop_all, self._list is not None and n_rows > 0 and self._list[0].is_active)


class RequestListView(CardListView[ToolRequest, RowAction]):
    """The list of requests. Enter opens the selected request as a chat, and Delete stops it. The context menu has both
    actions."""

    stop_requested = Signal(str)
    open_requested = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, RequestRowDelegate, "requests", parent)
        self.setAccessibleName(self.tr("Requests of tools"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row = self._row_of(self.currentIndex())
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Delete):
            if row is not None:
                self._perform("stop" if event.key() == Qt.Key.Key_Delete else "open", row)
        else:
            super().keyPressEvent(event)

    def _action_rects(self, box: QRect, row: ToolRequest) -> Mapping[RowAction, QRect]:
        return action_rects(box, row)

    def _perform(self, action: RowAction, row: ToolRequest) -> None:
        if action == "open":
            self.open_requested.emit(row.id)
        elif row.is_active:
            self.stop_requested.emit(row.id)

    def _tooltip(self, row: ToolRequest, action: RowAction | None) -> str:
        match action:
            case "stop":
                return self.tr("Stop")
            case "open" if row.body is None:
                return self.tr("The text was not kept: it cannot be opened as a chat")
            case "open":
                return self.tr("Open as a chat")
            case _:
                return strings.details(row)

    def _menu_header(self, row: ToolRequest) -> Iterable[str]:
        return strings.details(row).splitlines()

    def _fill_menu(self, menu: QMenu, row: ToolRequest) -> None:
        chat = self._theme.icon("message-square-plus", "muted")
        menu.addAction(chat, self.tr("Open as a chat"), lambda: self._perform("open", row))
        if row.is_active:
            stop = self._theme.icon("circle-stop", "muted")
            menu.addAction(stop, self.tr("Stop"), lambda: self._perform("stop", row))


class _ColumnTitles(QWidget):
    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setFixedHeight(TITLES_HEIGHT)
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        names = {
            "request": self.tr("Request"),
            "state": self.tr("State"),
            "prompt": self.tr("Prompt"),
            "speed": self.tr("Speed"),
            "age": self.tr("Age"),
        }
        painter = QPainter(self)
        painter.setFont(text_font(12))
        painter.setPen(self._theme.colour("muted"))
        for name, rect in columns(QRect(0, 0, self.width(), TITLES_HEIGHT)).items():
            painter.drawText(rect, int(Qt.AlignmentFlag.AlignVCenter), names[name])
        painter.end()


class _Separator(QWidget):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("cardRule")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(1)

"""The card of the requests: each live, to be stopped or opened as a chat; the recent ones below."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QListView, QMenu, QToolTip, QVBoxLayout, QWidget

from desktop.endpoint import words
from desktop.endpoint.call_list import CallList
from desktop.endpoint.feed import ToolRequest
from desktop.theme import Theme, scaled, text_font
from desktop.widgets.endpoint_parts import Card, label, link
from desktop.widgets.endpoint_rows import ROW, Act, RequestRows, actions, columns
from desktop.widgets.switch import Switch

HEAD = 38


class RequestsCard(Card):
    stop_asked = Signal(str)
    stop_all_asked = Signal()
    open_asked = Signal(str)
    keep_asked = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._list: CallList | None = None
        self.stop_all = link(self.tr("Stop all"), self)
        self.stop_all.clicked.connect(self.stop_all_asked)
        self._head = _Heads(theme, self)
        head = QHBoxLayout(self._head)
        head.setContentsMargins(0, 0, 4, 0)
        head.addStretch(1)
        head.addWidget(self.stop_all)
        self.view = RequestsView(theme, self)
        self.view.stop_asked.connect(self.stop_asked)
        self.view.open_asked.connect(self.open_asked)
        self._none = label("pageText", self.tr("No tool has asked yet. What they ask stands here, live."), self)
        self.keep = Switch(theme, self.tr("Keep what tools ask"), self)
        self.keep.toggled.connect(self.keep_asked)
        keep_text = self.tr("Keep what tools ask, so that it can be opened as a chat. Forgotten when Inglenook closes.")
        foot = QHBoxLayout()
        foot.setContentsMargins(10, 6, 4, 0)
        foot.setSpacing(12)
        foot.addWidget(label("pageText", keep_text, self, wraps=True), 1)
        foot.addWidget(self.keep)
        self._none.setContentsMargins(10, 10, 0, 10)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 12)
        column.setSpacing(0)
        column.addWidget(self._head)
        column.addWidget(_Rule(self))
        column.addWidget(self.view)
        column.addWidget(self._none)
        column.addWidget(_Rule(self))
        column.addLayout(foot)
        theme.changed.connect(self._fit)
        self._fit()

    def set_list(self, calls: CallList) -> None:
        self._list = calls
        self.view.setModel(calls)
        for signal in (calls.rowsInserted, calls.rowsRemoved, calls.dataChanged):
            signal.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        """As high as its rows are: the page scrolls, not the card."""
        n_rows = len(self._list) if self._list is not None else 0
        self.view.setFixedHeight(n_rows * scaled(ROW))
        self.view.setVisible(n_rows > 0)
        self._none.setVisible(n_rows == 0)
        self.stop_all.setEnabled(self._list is not None and n_rows > 0 and self._list[0].live)


class RequestsView(QListView):
    """Enter opens as a chat, Delete stops; a row's menu offers the same."""

    stop_asked = Signal(str)
    open_asked = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._rows = RequestRows(theme, self)
        self.setObjectName("requests")
        self.setAccessibleName(self.tr("Requests of tools"))
        self.setItemDelegate(self._rows)
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._open_menu)

    def act(self, act: Act, index: QModelIndex) -> None:
        request = self._request(index)
        if request is not None and act == "open":
            self.open_asked.emit(request.id)
        elif request is not None and request.live:
            self.stop_asked.emit(request.id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.act("open", self.currentIndex())
        elif event.key() == Qt.Key.Key_Delete:
            self.act("stop", self.currentIndex())
        else:
            super().keyPressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._point(event.position().toPoint())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        place = event.position().toPoint()
        if event.button() == Qt.MouseButton.LeftButton and (act := self._act_at(place)) is not None:
            self.act(act, self.indexAt(place))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point(QPoint(-1, -1))

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self._hint(event.pos()), self)
            return True
        return super().viewportEvent(event)

    def _hint(self, place: QPoint) -> str:
        request = self._request(self.indexAt(place))
        if request is None:
            return ""
        match self._act_at(place):
            case "stop":
                return self.tr("Stop")
            case "open" if request.body is None:
                return self.tr("Not kept: it cannot be opened as a chat")
            case "open":
                return self.tr("Open as a chat")
            case _:
                return words.details(request)

    def _act_at(self, place: QPoint) -> Act | None:
        index = self.indexAt(place)
        request = self._request(index)
        found = actions(self.visualRect(index), request) if request is not None else {}
        return next((act for act, box in found.items() if box.contains(place)), None)

    def _request(self, index: QModelIndex) -> ToolRequest | None:
        model = self.model()
        return model[index.row()] if isinstance(model, CallList) and index.isValid() else None

    def _point(self, place: QPoint) -> None:
        self._rows.pointed = place
        hand = self._act_at(place) is not None
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if hand else Qt.CursorShape.ArrowCursor)
        self.viewport().update()

    def _open_menu(self, place: QPoint) -> None:
        index = self.indexAt(place)
        request = self._request(index if index.isValid() else self.currentIndex())
        if request is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for line in words.details(request).splitlines():
            menu.addAction(line).setEnabled(False)
        menu.addSeparator()
        chat = self._theme.icon("message-square-plus", "muted")
        menu.addAction(chat, self.tr("Open as a chat"), lambda: self.open_asked.emit(request.id))
        if request.live:
            stop = self._theme.icon("circle-stop", "muted")
            menu.addAction(stop, self.tr("Stop"), lambda: self.stop_asked.emit(request.id))
        menu.popup(self.viewport().mapToGlobal(place))


class _Heads(QWidget):
    """The columns' names, above their columns."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setFixedHeight(HEAD)
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
        for name, place in columns(QRect(0, 0, self.width(), HEAD)).items():
            painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter), names[name])
        painter.end()


class _Rule(QWidget):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("cardRule")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(1)

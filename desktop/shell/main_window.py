"""The main window: the sidebar at the left, the current page beside it, and toasts over the page."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QByteArray, QEvent, QObject, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QMouseEvent, QPaintEvent, QResizeEvent, QShortcut
from PySide6.QtWidgets import QStackedWidget, QWidget

from desktop.chat.page import ChatPage
from desktop.framework.app_window import AppWindow
from desktop.platform.bidi import mirrored
from desktop.platform.theme import Theme
from desktop.shell.early_keys import EarlyKeys
from desktop.shell.page_list import PAGES
from desktop.sidebar.sidebar import WIDTH as SIDEBAR_WIDTH
from desktop.sidebar.sidebar import Sidebar
from desktop.widgets.page_view import PageView

if TYPE_CHECKING:
    from desktop.framework.pages import Page
    from desktop.framework.undo_stack import UndoStack
    from desktop.widgets.side_sheet import SideSheet
    from desktop.widgets.toast import Toast

V = TypeVar("V", bound=QWidget)

FOLDS_UNDER = 760
"""Width in pixels. In a narrower window the sidebar is hidden, and is opened over the page."""
TITLE_BAR = 40
TOAST_WIDTH = 320
"""The width in pixels that a toast needs beside an open side sheet. If less is free, the toast is placed below the
page."""
_MOVES = (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show, QEvent.Type.Hide)


class MainWindow(AppWindow):
    """Shows the chat page at once; each other page is created when it is first shown. GUI thread only."""

    first_painted = Signal()
    page_created = Signal(str)
    """Emitted with the id of a page whose widget was created, before the page is shown."""

    def __init__(self, theme: Theme, geometry: str = "") -> None:
        super().__init__()
        self.theme = theme
        self.closing = False
        self._is_ready = False
        self._early_keys = EarlyKeys(self)
        self._early_page = ""
        """The id of a page that was requested before it was added."""
        self.stays_in_tray: Callable[[], bool] = lambda: False
        """Returns whether closing the window only hides it, so that the app keeps running."""
        self._painted = False
        self._sidebar_open = False
        self._has_toast = False
        self._views: dict[str, QWidget] = {}
        self._makers: dict[str, Callable[[], QWidget]] = {}
        self.setObjectName("window")
        self.setWindowTitle("Inglenook")
        self.setMinimumSize(420, 380)
        self.sidebar = Sidebar(theme, [page for page in PAGES if page.in_sidebar], self)
        self.pages = QStackedWidget(self)
        self.pages.setObjectName("content")
        self.chat_page = ChatPage(theme, self.pages)
        self._connect()
        self._add_view("chat", self.chat_page)
        self.resize(1100, 750)
        if geometry:
            self.restoreGeometry(QByteArray.fromBase64(geometry.encode()))
        self.chat_page.composer.setFocus()

    def _connect(self) -> None:
        self.sidebar.page_requested.connect(self.show_page)
        self.pages.installEventFilter(self)
        self.pages.currentChanged.connect(self._page_changed)
        self.chat_page.composer_moved.connect(self._place_toast)
        QShortcut(QKeySequence(Qt.Key.Key_Escape), self).activated.connect(self._escape)

    @cached_property
    def toast(self) -> Toast:
        """The toast, which is created at its first use, because the first paint does not need it."""
        from desktop.widgets.toast import Toast

        toast = Toast(self.theme, self._toast_area, self.pages)
        self._has_toast = True
        toast.changed.connect(self._place_toast)
        toast.focus_left.connect(self._return_focus_from_toast)
        return toast

    @cached_property
    def undo_stack(self) -> UndoStack:
        from desktop.framework.undo_stack import UndoStack

        return UndoStack(self.toast)

    @property
    def is_ready(self) -> bool:
        """Whether all services are open and all pages can be shown."""
        return self._is_ready

    def set_ready(self) -> None:
        """Called once all services are open, and all actions and pages are added. Shows the page and handles the keys
        that were requested and pressed before."""
        self._is_ready = True
        if self._early_page:
            self.show_page(self._early_page)
        self._early_keys.deliver()

    def fit_to_screen(self, available: QRect) -> None:
        """Shrinks and moves the window, with its title bar, into the rectangle `available`.

        The stored geometry may be from a larger screen, or from a screen that is no longer connected."""
        state = self.windowState()
        if state & (Qt.WindowState.WindowMaximized | Qt.WindowState.WindowFullScreen):
            self.setWindowState(
                Qt.WindowState.WindowNoState
            )  # this geometry is used when the window is no longer maximised, and must fit too
        room = available.size() - QSize(0, TITLE_BAR)
        self.setMinimumSize(self.minimumSize().boundedTo(room))
        size = self.size().boundedTo(room)
        if size != self.size():
            self.resize(size)
        left = max(available.left(), min(self.x(), available.left() + room.width() - size.width()))
        top = max(available.top(), min(self.y(), available.top() + room.height() - size.height()))
        if self.testAttribute(Qt.WidgetAttribute.WA_Moved) and QPoint(left, top) != self.pos():
            self.move(left, top)  # if no position is stored, the window manager chooses one
        self.setWindowState(state)

    @property
    def geometry_base64(self) -> str:
        """Position and size of the window in base64, in the format of the constructor's argument `geometry`."""
        return bytes(self.saveGeometry().toBase64().data()).decode()

    def add_page(self, page: Page, make: Callable[[], QWidget]) -> None:
        """Adds a page. `make` creates its widget when the page is first shown. The chat page exists already; only its
        side sheet is new."""
        if page.id in self._views:
            self._watch_sheet(self._views[page.id])
        else:
            self._makers[page.id] = make

    def view(self, page_id: str, kind: type[V] = QWidget) -> V | None:  # type: ignore[assignment]
        """The widget of a page, which must be of class `kind`. It is created if necessary. None if the page is not
        added yet."""
        if page_id in self._makers:
            self._make(page_id)
        view = self._views.get(page_id)
        return view if isinstance(view, kind) else None

    def show_page(self, page_id: str) -> None:
        if page_id in self._makers:
            self._make(page_id)
        view = self._views.get(page_id)
        self._early_page = page_id if not self._is_ready else ""
        if view is None:
            return
        if view is not self.chat_page and self._focus_is_in(self.chat_page) and (focused := self.focusWidget()):
            focused.clearFocus()  # if the old page kept the focus, Qt would focus an arbitrary widget of the new page
        self.pages.setCurrentWidget(view)
        self.sidebar.mark_page(page_id)
        self.close_sidebar()
        if view is self.chat_page:
            self.chat_page.composer.setFocus()

    def is_page_shown(self, page_id: str) -> bool:
        return self.pages.currentWidget() is self._views.get(page_id)

    @property
    def _page(self) -> PageView | None:
        """The widget of the current page."""
        widget: QWidget = self.pages.currentWidget() or self.chat_page
        return widget if isinstance(widget, PageView) else None

    def _make(self, page_id: str) -> None:
        try:
            view = self._makers[page_id]()
        except OSError as error:
            self.show_error(error)
        else:
            del self._makers[page_id]
            self._add_view(page_id, view)
            self.page_created.emit(page_id)

    def _add_view(self, page_id: str, view: QWidget) -> None:
        self._views[page_id] = view
        if self.pages.indexOf(view) < 0:
            self.pages.addWidget(view)
        if isinstance(view, PageView):
            view.sidebar_button.clicked.connect(self.open_sidebar)
        self._watch_sheet(view)
        self._fold()

    def _watch_sheet(self, view: QWidget) -> None:
        """Moves the toast whenever the side sheet of a page opens or closes."""
        if isinstance(view, PageView) and view.side_sheet is not None:
            view.side_sheet.installEventFilter(self)

    def _page_changed(self) -> None:
        if self._has_toast:
            self.toast.move_on()
            self._place_toast()

    def _escape(self) -> None:
        if self._sidebar_open:
            self.close_sidebar()
        elif (page := self._page) is None or not page.close_topmost():
            self.chat_page.composer.stop_requested.emit()

    def open_sidebar(self) -> None:
        """Opens the sidebar over the page, if the window is too narrow for both."""
        self._sidebar_open = True
        self._fold()
        self.sidebar.raise_()
        self._focus_chats()

    def close_sidebar(self) -> None:
        self._sidebar_open = False
        self._fold()

    def show_chat_list(self) -> None:
        self._show_sidebar()
        self.sidebar.search.clear()
        self._focus_chats()

    def show_search(self) -> None:
        self._show_sidebar()
        self.sidebar.search.setFocus()
        self.sidebar.search.selectAll()

    def _show_sidebar(self) -> None:
        if not self.sidebar.isVisible():
            self.open_sidebar()

    def _focus_chats(self) -> None:
        if self.sidebar.chats is not None:
            self.sidebar.chats.setFocus()

    def _fold(self) -> None:
        """Sets the geometry of sidebar and page: side by side, or only the page in a narrow window."""
        folds = self.width() < FOLDS_UNDER
        self._sidebar_open = self._sidebar_open and folds
        left = 0 if folds else SIDEBAR_WIDTH
        self.sidebar.setGeometry(mirrored(QRect(0, 0, SIDEBAR_WIDTH, self.height()), self.rect()))
        self.sidebar.setVisible(not folds or self._sidebar_open)
        self.pages.setGeometry(mirrored(QRect(left, 0, self.width() - left, self.height()), self.rect()))
        for view in self._views.values():
            if isinstance(view, PageView):
                view.sidebar_button.setVisible(folds)

    def show_error(self, error: BaseException, *, topic: str = "", stays: bool = False) -> None:
        from desktop.error_messages import error_message  # imported here because the first paint does not need it

        self.toast.show_message(error_message(error), alert=True, topic=topic, stays=stays)

    def bring_to_front(self) -> None:
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def quit(self) -> None:
        self.closing = True
        self.close_requested.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        event.ignore()
        if self.stays_in_tray():
            self.hide()
        else:
            self.quit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fold()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            self._early_keys.watch()
            self.first_painted.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.close_sidebar()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _MOVES:  # the stack of pages or a side sheet was moved, resized, shown or hidden
            self._place_toast()
        return super().eventFilter(watched, event)

    def _place_toast(self) -> None:
        """Places the toast above the composer, or below the page if the composer is not visible.

        The widget above the toast is made shorter, so that the toast covers nothing."""
        if not self._has_toast:
            return
        from desktop.widgets.toast import GAP

        self.toast.place()
        taken = self.toast.height() + 2 * GAP if not self.toast.isHidden() else 0
        below = self._toast_is_below
        self._shorten(self.chat_page.stage, 0 if below else taken)
        self._shorten(self.pages, taken if below else 0)

    def _return_focus_from_toast(self) -> None:
        if self.is_page_shown("chat"):
            self.chat_page.composer.setFocus()
        elif (focused := self.focusWidget()) is not None:
            focused.clearFocus()

    def _shorten(self, stack: QStackedWidget, by: int) -> None:
        """Leaves `by` pixels free at the bottom of the stack of pages, and keeps the focused field of the page
        visible."""
        if stack.contentsMargins().bottom() != by:
            stack.setContentsMargins(0, 0, 0, by)
            page, focused = self.pages.currentWidget(), self.focusWidget()
            from desktop.widgets.scroll_page import ScrollPage

            if isinstance(page, ScrollPage) and focused is not None and page.isAncestorOf(focused):
                # runs after the page got its new size
                QTimer.singleShot(0, page, lambda: page.ensureWidgetVisible(focused))

    def _focus_is_in(self, widget: QWidget) -> bool:
        focused = self.focusWidget()
        return focused is not None and widget.isAncestorOf(focused)

    @property
    def _sheet(self) -> SideSheet | None:
        """The open side sheet of the current page; None if there is none."""
        sheet = page.side_sheet if (page := self._page) is not None else None
        return sheet if sheet is not None and not sheet.isHidden() else None

    @property
    def _toast_is_below(self) -> bool:
        sheet = self._sheet
        narrow = sheet is not None and self.pages.width() - sheet.width() < TOAST_WIDTH
        return narrow or not self.is_page_shown("chat")

    def _toast_area(self) -> QRect:
        """The rectangle at whose lower edge a toast is placed. On the chat page it ends above the composer,
        or above the overflow card of the composer if that card is visible."""
        area = QRect(QPoint(0, 0), self.pages.size())
        if self._toast_is_below:
            return area
        if self._sheet is not None:
            area.setRight(self._sheet.x() - 1)
        area.setHeight(self.chat_page.top_of_composer(self.pages))
        return area

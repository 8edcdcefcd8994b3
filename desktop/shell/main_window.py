"""The window: sidebar, pages, composer. It shows and emits; what happens is connected in `desktop.shell.wiring`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QEvent, QObject, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QMouseEvent, QPaintEvent, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from desktop.chat.composer.composer import Composer
from desktop.chat.greeting import Greeting
from desktop.chat.header import Header
from desktop.framework.undo_stack import UndoStack
from desktop.platform.bidi import mirrored
from desktop.platform.theme import Theme
from desktop.sidebar.sidebar import WIDTH as SIDEBAR_WIDTH
from desktop.sidebar.sidebar import Sidebar
from desktop.widgets.scroll_page import ScrollPage
from desktop.widgets.toast import GAP, Toast

if TYPE_CHECKING:
    from desktop.chat.chat_settings.settings_sheet import ChatSettingsSheet
    from desktop.chat.composer.overflow_card import OverflowCard
    from desktop.endpoint.page import EndpointPage
    from desktop.help.page import HelpPage
    from desktop.models.page import ModelsPage
    from desktop.settings.page import SettingsPage
    from desktop.sidebar.chat_list_view import ChatListView
    from desktop.transcript.view import TranscriptView
    from desktop.widgets.side_sheet import SideSheet

FOLDS_UNDER = 760
TITLE_BAR = 40
TOAST_WIDTH = 320
"""Where a side sheet leaves less, a toast stands below the page."""
_MOVES = (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show, QEvent.Type.Hide)


class MainWindow(QWidget):
    """`close_requested` is all that a wish to close does: the composition then hides the window and ends the app.

    The pages that take long to import are added after the first paint. GUI thread only."""

    close_requested = Signal()
    first_painted = Signal()

    def __init__(self, theme: Theme, geometry: str = "") -> None:
        super().__init__()
        self.theme = theme
        self.closing = False
        self.stays: Callable[[], bool] = lambda: False
        """Whether closing the window leaves the app where it can be called back from."""
        self._painted = False
        self._sidebar_open = False
        self.setObjectName("window")
        self.setWindowTitle("Inglenook")
        self.setMinimumSize(420, 380)
        self.sidebar = Sidebar(theme, self)
        self.pages = QStackedWidget(self)
        self.pages.setObjectName("content")
        self.chat_page = QWidget(self.pages)
        self.header = Header(theme, self.chat_page)
        self.stage = QStackedWidget(self.chat_page)
        self.stage.setObjectName("stage")
        self.greeting = Greeting(theme, parent=self.stage)
        self.composer = Composer(theme, self.chat_page)
        self.toast = Toast(theme, self._toast_area, self.pages)
        self.undo_stack = UndoStack(self.toast)
        self.chat_settings: ChatSettingsSheet | None = None
        self.overflow_card: OverflowCard | None = None
        self.transcript: TranscriptView | None = None
        self.endpoint_page: EndpointPage | None = None
        self.models_page: ModelsPage | None = None
        self.settings_page: SettingsPage | None = None
        self.help_page: HelpPage | None = None
        self._lay_out()
        self._add_keys()
        self.resize(1100, 750)
        if geometry:
            self.restoreGeometry(QByteArray.fromBase64(geometry.encode()))
        self.composer.setFocus()

    def fit_to_screen(self, available: QRect) -> None:
        """Takes no more room, with its title bar, than the screen has, and stands on it: it may have been larger, or
        on another screen, when its place was kept."""
        state = self.windowState()
        if state & (Qt.WindowState.WindowMaximized | Qt.WindowState.WindowFullScreen):
            self.setWindowState(Qt.WindowState.WindowNoState)  # so that it fits also when it is no longer so
        room = available.size() - QSize(0, TITLE_BAR)
        self.setMinimumSize(self.minimumSize().boundedTo(room))
        size = self.size().boundedTo(room)
        if size != self.size():
            self.resize(size)
        left = max(available.left(), min(self.x(), available.left() + room.width() - size.width()))
        top = max(available.top(), min(self.y(), available.top() + room.height() - size.height()))
        if self.testAttribute(Qt.WidgetAttribute.WA_Moved) and QPoint(left, top) != self.pos():
            self.move(left, top)  # without a kept place the window manager chooses one
        self.setWindowState(state)

    @property
    def geometry_base64(self) -> str:
        """Where the window stands, as `geometry` takes it."""
        return bytes(self.saveGeometry().toBase64().data()).decode()

    def add_pages(self, chats: ChatListView, transcript: TranscriptView, endpoint_page: EndpointPage) -> None:
        self.sidebar.add_chats(chats)
        self.transcript, self.endpoint_page = transcript, endpoint_page
        self.stage.addWidget(transcript)
        self.pages.addWidget(endpoint_page)
        endpoint_page.sidebar_requested.connect(self.open_sidebar)
        self._fold()

    def add_composing(self, settings: ChatSettingsSheet, card: OverflowCard) -> None:
        """What opens around the composer: the settings of a chat, and what would be left out of it."""
        self.chat_settings, self.overflow_card = settings, card
        for widget in (card, settings):
            widget.installEventFilter(self)
        settings.room_changed.connect(lambda taken: self._column.setContentsMargins(0, 0, taken, 12))
        above = QHBoxLayout()
        above.setContentsMargins(16, 8, 16, 10)
        above.addStretch(1)
        above.addWidget(card, 1000)
        above.addStretch(1)
        self._column.insertLayout(self._column.indexOf(self.stage) + 1, above)

    def add_settings_page(self, page: SettingsPage) -> None:
        self.settings_page = page
        self.pages.addWidget(page)
        page.sidebar_requested.connect(self.open_sidebar)
        self.sidebar.settings_requested.connect(self.show_settings_page)
        self._fold()

    def add_models_page(self, page: ModelsPage) -> None:
        self.models_page = page
        self.pages.addWidget(page)
        page.sheet.installEventFilter(self)
        page.sidebar_requested.connect(self.open_sidebar)
        self.sidebar.models_requested.connect(self.show_models_page)
        self._fold()

    def add_help_page(self, page: HelpPage) -> None:
        self.help_page = page
        self.pages.addWidget(page)
        page.sidebar_requested.connect(self.open_sidebar)
        self._fold()

    def show_greeting(self, greeting: bool) -> None:
        """The greeting, or the transcript."""
        if greeting:
            self.greeting.greet()
            self.stage.setCurrentWidget(self.greeting)
        elif self.transcript is not None:
            self.stage.setCurrentWidget(self.transcript)

    def show_chat_page(self) -> None:
        self.pages.setCurrentWidget(self.chat_page)
        self.sidebar.mark_page("chat")
        self.close_sidebar()
        self.composer.setFocus()

    def show_endpoint_page(self) -> None:
        self._show_place("endpoint", self.endpoint_page)

    def show_models_page(self) -> None:
        self._show_place("models", self.models_page)

    def show_settings_page(self) -> None:
        self._show_place("settings", self.settings_page)

    def show_help_page(self) -> None:
        self._show_place("help", self.help_page)

    def _show_place(self, place: str, page: QWidget | None) -> None:
        """A place of the sidebar; a page that is not there yet is not gone to."""
        if page is not None:
            if (focused := self.focusWidget()) is not None and self.chat_page.isAncestorOf(focused):
                focused.clearFocus()  # hidden with its page, it would hand on to any, and that would be scrolled to
            self.pages.setCurrentWidget(page)
            self.sidebar.mark_page(place)
            self.close_sidebar()

    def open_sidebar(self) -> None:
        """Lays the sidebar over the page, where the window is too narrow for both."""
        self._sidebar_open = True
        self._fold()
        self.sidebar.raise_()
        if self.sidebar.chats is not None:
            self.sidebar.chats.setFocus()

    def open_chats(self) -> None:
        """The list of chats, with the focus in it; a search is left."""
        self._show_sidebar()
        self.sidebar.search.clear()
        if self.sidebar.chats is not None:
            self.sidebar.chats.setFocus()

    def open_search(self) -> None:
        self._show_sidebar()
        self.sidebar.search.setFocus()
        self.sidebar.search.selectAll()

    def _show_sidebar(self) -> None:
        if not self.sidebar.isVisible():
            self.open_sidebar()

    def close_sidebar(self) -> None:
        self._sidebar_open = False
        self._fold()

    def bring_to_front(self) -> None:
        """In front of the other windows, and not minimised."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def quit(self) -> None:
        """Ends the app."""
        self.closing = True
        self.close_requested.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        event.ignore()
        if self.stays():
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
            self.first_painted.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.close_sidebar()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _MOVES:  # of the pages, the composer, the card above it, or a side sheet
            self._place_toast()
        return super().eventFilter(watched, event)

    def _lay_out(self) -> None:
        note = QLabel(self.tr("Runs on this computer. Nothing leaves it."), self.chat_page)
        note.setObjectName("composerNote")
        middle = QHBoxLayout()
        middle.setContentsMargins(16, 0, 16, 0)
        middle.addStretch(1)
        middle.addWidget(self.composer, 1000)
        middle.addStretch(1)
        self.stage.addWidget(self.greeting)
        self.stage.setMinimumHeight(1)  # the composer and what opens above it come first where the window is low
        column = self._column = QVBoxLayout(self.chat_page)
        column.setContentsMargins(0, 0, 0, 12)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.stage, 1)
        column.addLayout(middle)
        column.addSpacing(10)
        column.addWidget(note, alignment=Qt.AlignmentFlag.AlignHCenter)
        self.pages.addWidget(self.chat_page)
        self.pages.installEventFilter(self)
        self.pages.currentChanged.connect(self._page_changed)
        self.toast.changed.connect(self._place_toast)
        self.toast.focus_left.connect(self._return_focus_from_toast)
        self.composer.installEventFilter(self)
        self.header.sidebar_requested.connect(self.open_sidebar)

    def _add_keys(self) -> None:
        QShortcut(QKeySequence(Qt.Key.Key_Escape), self).activated.connect(self._escape)

    def _escape(self) -> None:
        if self._sidebar_open:
            self.close_sidebar()
        elif self.chat_settings is not None and self.chat_settings.isVisible():
            self.chat_settings.close_sheet()
        elif self.overflow_card is not None and self.overflow_card.isVisible():
            self.overflow_card.close_card()
        elif self.models_page is None or not self.models_page.sheet.close_sheet():
            self.composer.stop_requested.emit()

    def _fold(self) -> None:
        folds = self.width() < FOLDS_UNDER
        self._sidebar_open = self._sidebar_open and folds
        left = 0 if folds else SIDEBAR_WIDTH
        self.sidebar.setGeometry(mirrored(QRect(0, 0, SIDEBAR_WIDTH, self.height()), self.rect()))
        self.sidebar.setVisible(not folds or self._sidebar_open)
        self.pages.setGeometry(mirrored(QRect(left, 0, self.width() - left, self.height()), self.rect()))
        self.header.fold.setVisible(folds)
        for page in (self.models_page, self.endpoint_page, self.settings_page, self.help_page):
            if page is not None:
                page.fold.setVisible(folds)

    def _page_changed(self) -> None:
        self.toast.move_on()
        self._place_toast()

    def _place_toast(self) -> None:
        """Above the composer where that is seen, else below the page. What is above it is made shorter, so that it
        covers nothing."""
        self.toast.place()
        taken = self.toast.height() + 2 * GAP if not self.toast.isHidden() else 0
        below = self._toast_is_below
        self._shorten(self.stage, 0 if below else taken)
        self._shorten(self.pages, taken if below else 0)

    def _return_focus_from_toast(self) -> None:
        if self.pages.currentWidget() is self.chat_page:
            self.composer.setFocus()
        elif (focused := self.focusWidget()) is not None:
            focused.clearFocus()

    def _shorten(self, stack: QStackedWidget, by: int) -> None:
        """Leaves so much free below what the stack shows; a field that has the focus stays in sight."""
        if stack.contentsMargins().bottom() != by:
            stack.setContentsMargins(0, 0, 0, by)
            page, focused = self.pages.currentWidget(), self.focusWidget()
            if isinstance(page, ScrollPage) and focused is not None and page.isAncestorOf(focused):
                QTimer.singleShot(0, page, lambda: page.ensureWidgetVisible(focused))  # once the page has its new size

    @property
    def _sheet(self) -> SideSheet | None:
        """The side sheet that is open on the page that is shown."""
        sheet: SideSheet | None = None
        if self.pages.currentWidget() is self.chat_page:
            sheet = self.chat_settings
        elif self.models_page is not None and self.pages.currentWidget() is self.models_page:
            sheet = self.models_page.sheet
        return sheet if sheet is not None and not sheet.isHidden() else None

    @property
    def _toast_is_below(self) -> bool:
        sheet = self._sheet
        narrow = sheet is not None and self.pages.width() - sheet.width() < TOAST_WIDTH
        return narrow or self.pages.currentWidget() is not self.chat_page

    def _toast_area(self) -> QRect:
        """What a toast stands at the lower edge of: above the composer and its card, where they are seen."""
        area = QRect(QPoint(0, 0), self.pages.size())
        if self._toast_is_below:
            return area
        if self._sheet is not None:
            area.setRight(self._sheet.x() - 1)
        card = self.overflow_card
        lowest = card if card is not None and card.isVisible() else self.composer
        area.setHeight(lowest.mapTo(self.pages, QPoint(0, 0)).y())
        return area

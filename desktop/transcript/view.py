"""The transcript of a chat. It combines layout, selection, word picking, find and editing, and handles the mouse and
keys."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, QUrl, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFontMetricsF,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QMenu, QWidget

from desktop.chat.message_list import MessageList
from desktop.platform.theme import Theme, text_font, zoom
from desktop.render.blocks import Block
from desktop.render.safe_addresses import is_safe_link
from desktop.settings.all_settings import Settings
from desktop.transcript.answer_status import StatusOf, WaitStatus
from desktop.transcript.column_layout import COLUMN_WIDTH, MARGIN, ColumnLayout
from desktop.transcript.deferred_layout import DeferredLayout
from desktop.transcript.find_in_chat import FindInChat
from desktop.transcript.horizontal_scroll import HorizontalScroller
from desktop.transcript.inline_images import InlineImageCache
from desktop.transcript.item_cache import ItemCache
from desktop.transcript.message_controls import MessageCallbacks
from desktop.transcript.message_editor import MessageEditing
from desktop.transcript.model_updates import ModelUpdates
from desktop.transcript.overlays import EndButton, LinkAddress
from desktop.transcript.selection import TextSelection
from desktop.transcript.word_picker import WordPicker


class TranscriptView(QAbstractScrollArea):
    """Shows a `MessageList`, and emits a signal for each request of the user. The signals carry message ids. GUI thread
    only."""

    retry_requested = Signal(str)
    """Requests that the model generates another version of an answer."""
    continue_requested = Signal(str)
    """Requests the continuation of an answer that is incomplete: it was cut off or stopped, or reached its length
    limit."""
    edited = Signal(str, str)
    """The user has saved a new text for a message. The text becomes a new version; a user message is then answered
    again."""
    edit_changed = Signal(str, str)
    """The text in the editor of a message has changed. Carries the unsaved text, or "" if there is none."""
    version_requested = Signal(str, int)
    """Requests that another version of a message is shown: +1 for the next, -1 for the previous one."""
    alternatives_requested = Signal(str)
    """Requests that the model generates several answers, to be shown side by side with this one."""
    picked = Signal(str)
    """The user has picked one of several answers that are shown side by side."""
    stop_requested = Signal(str)
    """The user wants one of several answers that are shown side by side to end."""
    delete_requested = Signal(str)
    """Requests the deletion of a message and of all that follow it."""
    token_alternatives_requested = Signal(str, int, int, QRect)
    """Requests the alternatives of the word `text[start:end]` in the text of an answer. The QRect is the word's
    rectangle on the screen."""
    save_requested = Signal(Block)
    """Requests that a block of code is saved as a file."""
    link_activated = Signal(QUrl)
    """The user has clicked a link. Its scheme is http, https or mailto."""
    typed = Signal(str)
    """The user has typed this text while the transcript had the focus."""

    def __init__(
        self,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        read_only: bool = False,
        picture_folders: Sequence[Path] = (),
        settings: Callable[[], Settings] = Settings,
    ) -> None:
        """With `read_only`, there are no message actions, no word picking and no button to the end. Pictures in
        `picture_folders` are loaded without asking, like those in the home folder. `settings` returns the
        current settings."""
        super().__init__(parent)
        self._theme = theme
        self.edit_draft: Callable[[str], str] = lambda message_id: ""
        """Returns the unsaved text of a message that was being edited, by its id."""
        self.edit_draft_keys: Callable[[], Collection[str]] = tuple
        """Returns the ids that may have an unsaved text."""
        self.n_deleted: Callable[[str], int] = lambda message_id: 0
        """Returns how many messages `delete_requested` would delete, by message id."""
        self.wait_status_of: StatusOf = lambda message_id: WaitStatus()
        """Returns what a streaming answer is waiting for, by its message id."""
        self.images = InlineImageCache(QFontMetricsF(text_font(15)).xHeight() / 2 / zoom(), self)
        self.images.folders = tuple(picture_folders)
        self.cache = ItemCache(theme, self.viewport(), self.images, self._callbacks(), read_only=read_only)
        self.cache.settings = settings
        self.column = ColumnLayout(self, self.cache, MessageList(self))
        self.updates = ModelUpdates(self, self.column, self.cache)
        self.deferred = DeferredLayout(
            self, self.column, self.cache, lambda message_id: self.wait_status_of(message_id)
        )
        self.editing = MessageEditing(
            self, self.column, lambda message_id: self.edit_draft(message_id), lambda: self.edit_draft_keys()
        )
        self.selection = TextSelection(self, self.column)
        self._read_only = read_only
        self.words = WordPicker(self, self.column, self.cache, enabled=not read_only)
        self.finder = FindInChat(theme, self, self.column, self.cache, self.selection)
        self.end_button = None if read_only else EndButton(theme, self)
        self.link_address = LinkAddress(self)
        self._scroller = HorizontalScroller()
        self._pressed_link = ""
        self._connect()
        self._set_up_area()

    def _callbacks(self) -> MessageCallbacks:
        return MessageCallbacks(
            retry=self.retry_requested.emit,
            go_on=self.continue_requested.emit,
            edit=self.edit,
            version=self.version_requested.emit,
            alternatives=self.alternatives_requested.emit,
            pick=self.picked.emit,
            stop=self.stop_requested.emit,
            delete=self.delete_requested.emit,
            toggle_reasoning=self._toggle_reasoning,
            show_more=self._show_more,
            save_code=self.save_requested.emit,
            n_deleted=lambda message_id: self.n_deleted(message_id),
        )

    def _connect(self) -> None:
        self.updates.was_reset.connect(self.editing.restore_draft)
        self.updates.was_reset.connect(self.deferred.watch_status)
        self.updates.changed.connect(self.deferred.watch_status)
        self.column.laid_out.connect(self._place_controls)
        self.editing.saved.connect(self.edited)
        self.editing.changed.connect(self.edit_changed)
        self.words.picked.connect(self.token_alternatives_requested)
        self.words.typed.connect(self.typed)
        self.images.ready.connect(self.deferred.draw_ready_images)
        if self.end_button is not None:
            self.column.settled.connect(self.end_button.update_position)
            self.end_button.clicked.connect(self.column.scroll_to_end)
        self._theme.changed.connect(self._restyle)

    def _set_up_area(self) -> None:
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # The view paints every pixel. So Qt does not have to fill the background, and may scroll what is already
        # painted.
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.viewport().setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Conversation"))
        self.verticalScrollBar().setSingleStep(48)

    @property
    def messages(self) -> MessageList:
        """The list that is shown. It is empty until `set_list` is called."""
        return self.column.messages

    @property
    def selected_text(self) -> str:
        return self.selection.text

    @property
    def selected_markdown(self) -> str:
        return self.selection.markdown

    @property
    def at_end(self) -> bool:
        return self.column.at_end

    def set_list(self, messages: MessageList) -> None:
        """Shows a list and its later changes. Called once."""
        self.updates.follow(messages)

    def go_to_end(self) -> None:
        """Scrolls to the end, which then stays visible while the chat grows."""
        self.column.scroll_to_end()

    def show_message(self, message_id: str) -> None:
        """Scrolls to the top of a message, if it is in the list."""
        if (row := self.column.row_of(message_id)) >= 0:
            self.column.scroll_to(row)

    def edit(self, message_id: str) -> None:
        """Opens the editor in place of a message."""
        self.editing.edit(message_id)

    def open_find(self) -> None:
        self.finder.open()

    def enable_words(self, enabled: bool) -> None:
        """Set whether words of answers can be picked. Without effect on a view that is read-only."""
        self.words.enabled = enabled and not self._read_only

    def clear_word_mark(self) -> None:
        self.words.clear_mark()

    def refresh_status(self) -> None:
        """Updates what the visible answers are waiting for."""
        self.deferred.refresh_status()

    def _place_controls(self) -> None:
        """Moves the buttons and the editor to the current positions of their messages."""
        visible: set[str] = set()
        for row in self.column.visible_rows():
            message_id = self.column.message(row).id
            visible.add(message_id)
            if (controls := self.cache.controls.get(message_id)) is None:
                continue
            if self.column.is_covered(row):
                controls.hide()
            else:
                controls.arrange(self.column.corner(row), self.messages.versions(message_id))
        self.editing.place()
        self.cache.hide_all_but(visible)

    def _toggle_reasoning(self, message_id: str) -> None:
        row, item = self.column.row_of(message_id), self.cache.items.get(message_id)
        if row >= 0 and item is not None:
            item.toggle_reasoning()
            self.column.resize_row(row)

    def _show_more(self, message_id: str) -> None:
        row, item = self.column.row_of(message_id), self.cache.items.get(message_id)
        if row >= 0 and item is not None:
            item.show_more()
            self.column.resize_row(row)

    def _restyle(self) -> None:
        self.cache.restyle()
        self.column.resize_all()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.words.cancel_click()
        if event.button() != Qt.MouseButton.LeftButton:
            return
        point = event.position().toPoint()
        found = self.column.item_at(point)
        if found is not None and self._scroller.press(found[0].scrollable_at(found[1]), found[1].x()):
            self.viewport().update()
            return
        self._pressed_link = found[0].link_at(found[1]) if found is not None else ""
        self.selection.begin(point, extend=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        point = event.position().toPoint()
        if self._scroller.is_dragging:
            if self._scroller.drag_to(event.position().x() - self.column.reading_column()[0]):
                self.viewport().update()
        elif event.buttons() & Qt.MouseButton.LeftButton and self.selection.current is not None:
            self.selection.drag_to(point)
        else:
            self._hover(point)

    def _hover(self, point: QPoint) -> None:
        """Updates the cursor shape and the shown link address for a point of the viewport."""
        shape, link = Qt.CursorShape.ArrowCursor, ""
        if (found := self.column.item_at(point)) is not None:
            item, inside = found
            link = item.link_at(inside)
            if link:
                shape = Qt.CursorShape.PointingHandCursor
            elif item.is_text(inside):
                shape = Qt.CursorShape.IBeamCursor
        self.viewport().setCursor(shape)
        self.link_address.show_address(link)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.selection.end_drag()
        if self._scroller.release():
            return
        link, self._pressed_link = self._pressed_link, ""
        found = self.column.item_at(event.position().toPoint())
        if found is None or not self.selection.is_empty:
            return
        if link and link == found[0].link_at(found[1]) and is_safe_link(link):
            self.link_activated.emit(QUrl(link))
        elif event.button() == Qt.MouseButton.LeftButton:
            self.words.click(*found)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.words.cancel_click()
        if (found := self.column.item_at(event.position().toPoint())) is not None:
            self.selection.select_word(*found)

    def wheelEvent(self, event: QWheelEvent) -> None:
        found = self.column.item_at(event.position().toPoint())
        if found is not None and self._scroller.wheel(found[0].scrollable_at(found[1]), event):
            self.viewport().update()
            event.accept()
        else:
            super().wheelEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        copy = menu.addAction(self.tr("Copy"), self.selection.copy)
        as_markdown = menu.addAction(self.tr("Copy as Markdown"), self.selection.copy_markdown)
        for action in (copy, as_markdown):
            action.setEnabled(not self.selection.is_empty)
        menu.addAction(self.tr("Select all"), self.selection.select_all)
        found = self.column.item_at(self.viewport().mapFromGlobal(event.globalPos()))
        if found is not None and self.words.can_pick(found[0]):
            menu.addSeparator()
            menu.addAction(self.tr("Other words here"), lambda: self.words.pick_at(*found))
        menu.popup(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        control_shift = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        if event.key() == Qt.Key.Key_C and event.modifiers() == control_shift:
            self.selection.copy_markdown()
        elif event.matches(QKeySequence.StandardKey.Copy):
            self.selection.copy()
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self.selection.select_all()
        elif self.words.press_key(event):
            pass
        elif event.key() == Qt.Key.Key_Home:
            self.verticalScrollBar().setValue(0)
        elif event.key() == Qt.Key.Key_End:
            self.go_to_end()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self.images.scale = self.devicePixelRatioF()
            self.deferred.draw_ready_images()
        return super().event(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.images.scale = self.devicePixelRatioF()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.column.resize_all(is_width=event.oldSize().width() != event.size().width())
        self.finder.place_bar()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.column.scrolled()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(event.rect(), self._theme.colour("bg"))
        self.column.paint(painter, event.rect(), self.selection.in_message)

    def viewportSizeHint(self) -> QSize:
        return QSize(COLUMN_WIDTH + 2 * MARGIN, 400)

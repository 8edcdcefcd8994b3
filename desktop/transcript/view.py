"""What a person does with the transcript: select, copy, follow links, scroll by key, go to the end."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QSize, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QKeyEvent, QKeySequence, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QLabel, QMenu, QToolButton, QWidget

from desktop.platform.theme import Theme
from desktop.render.html import is_safe_link
from desktop.transcript.horizontal_scroll import HorizontalScroller
from desktop.transcript.message_item import MessageItem
from desktop.transcript.place import SegmentPosition
from desktop.transcript.selection import Selection, SelectionRange, TextPosition, markdown, plain_text
from desktop.transcript.word_picker import AskingPage

DRAG_SCROLL_MS, DRAG_SCROLL = 30, 18


class TranscriptView(AskingPage):
    """GUI thread only. `link_activated` carries addresses of the web and of mail, never others."""

    link_activated = Signal(QUrl)
    offers_end = True
    """A button goes to the end, where that is out of sight."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self._pressed_link = ""
        self._sideways = HorizontalScroller()
        self._to_end: QToolButton | None = None
        self._goes_to: QLabel | None = None
        super().__init__(theme, parent)
        self._to_end = self._end_button()
        self._goes_to = QLabel(self)
        self._goes_to.setObjectName("goesTo")
        self._goes_to.setTextFormat(Qt.TextFormat.PlainText)
        self._goes_to.hide()
        self._dragged_to = QPoint()
        self._drag_timer = QTimer(self, interval=DRAG_SCROLL_MS)
        self._drag_timer.timeout.connect(self._scroll_on)
        self.viewport().setMouseTracking(True)
        theme.changed.connect(self._restyle_button)

    @property
    def selected_text(self) -> str:
        stretch = self._stretch()
        return plain_text(stretch, self._item) if stretch else ""

    @property
    def selected_markdown(self) -> str:
        stretch = self._stretch()
        return markdown(stretch, self._item) if stretch else ""

    def settled(self) -> None:
        super().settled()
        button = self._to_end
        if button is None:
            return
        bar = self.verticalScrollBar()
        button.setVisible(self.offers_end and bar.maximum() - bar.value() > 80)
        area = self.viewport().geometry()
        button.move(area.center().x() - button.width() // 2, area.bottom() - button.height() - 8)

    # Mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.word_timer.stop()
        if event.button() != Qt.MouseButton.LeftButton:
            return
        at = event.position().toPoint()
        if (code := self._at(at)) is not None and self._sideways.press(*code):
            self.viewport().update()
            return
        extends = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier) and self._selection is not None
        found = self._at(at)
        spot = self._spot_at(at)
        self._pressed_link = found[0].link_at(found[1]) if found is not None else ""
        if extends and spot is not None and self._selection is not None:
            self._selection = self._selection.moved(spot)
        else:
            self._selection = Selection(spot, spot) if spot is not None else None
        self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        if self._sideways.holds:
            if self._sideways.move(event.position().x() - self._column()[0]):
                self.viewport().update()
            return
        if event.buttons() & Qt.MouseButton.LeftButton and self._selection is not None:
            self._dragged_to = at
            self._drag(at)
            outside = not 0 <= at.y() < self.viewport().height()
            if outside != self._drag_timer.isActive():
                self._drag_timer.start() if outside else self._drag_timer.stop()
            return
        found = self._at(at)
        shape, link = Qt.CursorShape.ArrowCursor, ""
        if found is not None:
            item, point = found
            link = item.link_at(point)
            over_text = Qt.CursorShape.IBeamCursor if item.is_text(point) else shape
            shape = Qt.CursorShape.PointingHandCursor if link else over_text
        self.viewport().setCursor(shape)
        self._show_where(link)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._drag_timer.stop()
        if self._sideways.release():
            return
        found = self._at(event.position().toPoint())
        link, self._pressed_link = self._pressed_link, ""
        nothing_selected = self._selection is None or self._selection.is_empty
        same = found is not None and found[0].link_at(found[1]) == link
        if link and same and nothing_selected and is_safe_link(link):
            self.link_activated.emit(QUrl(link))
        elif nothing_selected and found is not None and event.button() == Qt.MouseButton.LeftButton:
            self.ask_soon(*found)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.word_timer.stop()
        found = self._at(event.position().toPoint())
        if found is not None and (place := found[0].position_at(found[1])) is not None:
            start, end = found[0].word_at(place)
            message_id = found[0].message.id
            self._selection = Selection(TextPosition(message_id, start), TextPosition(message_id, end))
            self.viewport().update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        found = self._at(event.position().toPoint())
        if found is not None and self._sideways.wheel(*found, event):
            self.viewport().update()
            event.accept()
        else:
            super().wheelEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        copy = menu.addAction(self.tr("Copy"), self._copy)
        as_markdown = menu.addAction(self.tr("Copy as Markdown"), self._copy_markdown)
        for action in (copy, as_markdown):
            action.setEnabled(self._selection is not None and not self._selection.is_empty)
        menu.addAction(self.tr("Select all"), self._select_all)
        found = self._at(self.viewport().mapFromGlobal(event.globalPos()))
        if found is not None and self.can_ask(found[0]):
            menu.addSeparator()
            menu.addAction(self.tr("Other words here"), lambda: self.ask_at(*found))
        menu.popup(event.globalPos())

    # Keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self.verticalScrollBar()
        both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        if event.key() == Qt.Key.Key_C and event.modifiers() == both:
            self._copy_markdown()
        elif event.matches(QKeySequence.StandardKey.Copy):
            self._copy()
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self._select_all()
        elif self.take_key(event):
            pass
        elif event.key() == Qt.Key.Key_Home:
            bar.setValue(0)
        elif event.key() == Qt.Key.Key_End:
            self.go_to_end()
        else:
            super().keyPressEvent(event)

    def _copy(self) -> None:
        if text := self.selected_text:
            QGuiApplication.clipboard().setText(text)

    def _copy_markdown(self) -> None:
        if text := self.selected_markdown:
            QGuiApplication.clipboard().setText(text)

    def _select_all(self) -> None:
        """The message in which something is selected, else the last that is seen; once more: all of the chat."""
        rows = self._seen_rows()
        if not len(rows):
            return
        chosen = self._selection.head.message_id if self._selection else self._message(rows[-1]).id
        row = max(0, self._row_of(chosen))
        whole = self._whole(row, row)
        self._selection = whole if whole != self._selection else self._whole(0, len(self._heights) - 1)
        self.viewport().update()

    def _whole(self, first: int, last: int) -> Selection:
        start, end = self._item(first).whole()[0], self._item(last).whole()[1]
        return Selection(TextPosition(self._message(first).id, start), TextPosition(self._message(last).id, end))

    def _drag(self, at: QPoint) -> None:
        spot = self._spot_at(at)
        if self._selection is not None and spot is not None:
            self._selection = self._selection.moved(spot)
            self.viewport().update()

    def _scroll_on(self) -> None:
        """The pointer is held above or below the page."""
        bar = self.verticalScrollBar()
        bar.setValue(bar.value() + (DRAG_SCROLL if self._dragged_to.y() > 0 else -DRAG_SCROLL))
        self._drag(self._dragged_to)

    def _spot_at(self, at: QPoint) -> TextPosition | None:
        found = self._at(at)
        place = found[0].position_at(found[1]) if found is not None else None
        return TextPosition(found[0].message.id, place) if found is not None and place is not None else None

    def _at(self, at: QPoint) -> tuple[MessageItem, QPointF] | None:
        """The message under a point of the viewport, and the point in it."""
        row = self._row_at(at.y())
        return (self._item(row), QPointF(at - self._corner(row))) if row >= 0 else None

    def _stretch(self) -> SelectionRange | None:
        return SelectionRange.of(self._selection, self._row_of) if self._selection is not None else None

    def selected_in(self, message_id: str) -> tuple[SegmentPosition, SegmentPosition] | None:
        if self._selection is None or self._selection.is_empty or (stretch := self._stretch()) is None:
            return None
        row = self._row_of(message_id)
        return stretch.in_row(row, self._items[message_id]) if message_id in self._items else None

    def _show_where(self, link: str) -> None:
        """Says where a link goes, before it is followed."""
        label = self._goes_to
        if label is None or label.text() == link == "" or (label.isVisible() and label.text() == link):
            return
        label.setVisible(bool(link))
        label.setText(link)
        label.setMaximumWidth(self.width() - 16)
        label.adjustSize()
        label.move(8, self.height() - label.height() - 6)

    def _end_button(self) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName("toEnd")
        button.setAccessibleName(self.tr("Go to the end"))
        button.setToolTip(self.tr("Go to the end"))
        button.setIcon(self._theme.icon("arrow-down", "muted"))
        button.resize(QSize(32, 32))
        button.hide()
        button.clicked.connect(self.go_to_end)
        return button

    def _restyle_button(self) -> None:
        if self._to_end is not None:
            self._to_end.setIcon(self._theme.icon("arrow-down", "muted"))

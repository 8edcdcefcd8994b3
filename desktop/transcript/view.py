"""What a person does with the transcript: select, copy, follow links, scroll by key, go to the end."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QPoint, QPointF, QSize, Qt, QUrl, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QMouseEvent
from PySide6.QtWidgets import QToolButton, QWidget

from desktop.render.html import is_safe_link
from desktop.theme import Theme
from desktop.transcript.item import MessageItem, Place
from desktop.transcript.page import TranscriptPage


@dataclass(frozen=True, slots=True)
class Selection:
    """Within one message; `head` is the end that moves."""

    message_id: str
    anchor: Place
    head: Place

    @property
    def span(self) -> tuple[Place, Place]:
        return min(self.anchor, self.head), max(self.anchor, self.head)


class TranscriptView(TranscriptPage):
    """GUI thread only. `link_activated` carries addresses of the web and of mail, never others."""

    link_activated = Signal(QUrl)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self._selection: Selection | None = None
        self._pressed_link = ""
        self._to_end: QToolButton | None = None
        super().__init__(theme, parent)
        self._to_end = self._end_button()
        self.viewport().setMouseTracking(True)
        theme.changed.connect(self._restyle_button)

    def selected_in(self, message_id: str) -> tuple[Place, Place] | None:
        if self._selection is None or self._selection.message_id != message_id:
            return None
        return self._selection.span

    @property
    def selected_text(self) -> str:
        if self._selection is None or (item := self._items.get(self._selection.message_id)) is None:
            return ""
        return item.text_between(*self._selection.span)

    def settled(self) -> None:
        button = self._to_end
        if button is None:
            return
        bar = self.verticalScrollBar()
        button.setVisible(bar.maximum() - bar.value() > 80)
        area = self.viewport().geometry()
        button.move(area.center().x() - button.width() // 2, area.bottom() - button.height() - 8)

    # Mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._selection = None
        found = self._at(event.position().toPoint())
        if found is not None:
            item, point = found
            self._pressed_link = item.link_at(point)
            if (place := item.place_at(point)) is not None:
                self._selection = Selection(item.message.id, place, place)
        self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton and self._selection is not None:
            self._drag(event.position().toPoint())
            return
        found = self._at(event.position().toPoint())
        shape = Qt.CursorShape.ArrowCursor
        if found is not None:
            item, point = found
            over_text = Qt.CursorShape.IBeamCursor if item.is_text(point) else shape
            shape = Qt.CursorShape.PointingHandCursor if item.link_at(point) else over_text
        self.viewport().setCursor(shape)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        found = self._at(event.position().toPoint())
        link, self._pressed_link = self._pressed_link, ""
        nothing_selected = self._selection is None or self._selection.anchor == self._selection.head
        same = found is not None and found[0].link_at(found[1]) == link
        if link and same and nothing_selected and is_safe_link(link):
            self.link_activated.emit(QUrl(link))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        found = self._at(event.position().toPoint())
        if found is not None and (place := found[0].place_at(found[1])) is not None:
            self._selection = Selection(found[0].message.id, *found[0].word_at(place))
            self.viewport().update()

    # Keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self.verticalScrollBar()
        if event.matches(QKeySequence.StandardKey.Copy):
            if self.selected_text:
                QGuiApplication.clipboard().setText(self.selected_text)
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self._select_message()
        elif event.key() == Qt.Key.Key_Home:
            bar.setValue(0)
        elif event.key() == Qt.Key.Key_End:
            self.go_to_end()
        else:
            super().keyPressEvent(event)

    def _select_message(self) -> None:
        """The message in which something is selected, else the last that is seen."""
        row = self._seen_rows()[-1] if len(self._seen_rows()) else -1
        chosen = self._selection.message_id if self._selection else (self._message(row).id if row >= 0 else "")
        if (item := self._items.get(chosen)) is not None and item.segments:
            self._selection = Selection(chosen, *item.whole())
            self.viewport().update()

    def _drag(self, at: QPoint) -> None:
        if self._selection is None or (item := self._items.get(self._selection.message_id)) is None:
            return
        row = next((row for row in self._seen_rows() if self._message(row).id == item.message.id), -1)
        if row >= 0 and (place := item.place_at(QPointF(at - self._corner(row)))) is not None:
            self._selection = replace(self._selection, head=place)
            self.viewport().update()

    def _at(self, at: QPoint) -> tuple[MessageItem, QPointF] | None:
        """The message under a point of the viewport, and the point in it."""
        row = self._row_at(at.y())
        return (self._item(row), QPointF(at - self._corner(row))) if row >= 0 else None

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

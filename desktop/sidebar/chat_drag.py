"""Drag and drop of chats between the sections and folders of the chat list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress

from PySide6.QtCore import QMimeData, QModelIndex, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QDrag, QFontMetrics, QPainter, QPen, QPixmap

from desktop.platform.theme import Theme, text_font
from desktop.sidebar.chat_list_model import CHATS_MIME, ChatListModel
from desktop.sidebar.chat_requests import ChatRequests
from desktop.sidebar.chat_sections import Section, section_of
from desktop.sidebar.strings import chat_count
from desktop.store.records import Chat

HEIGHT, MAX_TEXT_WIDTH, PADDING = 30, 220, 12


def drag_of(chats: Sequence[Chat], model: ChatListModel, theme: Theme, source: QObject, scale: float) -> QDrag:
    """Returns a drag of these chats. `scale` is the device pixel ratio of its pixmap."""
    drag = QDrag(source)
    drag.setMimeData(model.mimeData([model.index_of(chat.id) for chat in chats]))
    text = chats[0].title if len(chats) == 1 else chat_count(len(chats))
    drag.setPixmap(_drag_pixmap(theme, text, scale))
    return drag


def dragged_ids(data: QMimeData) -> tuple[str, ...]:
    """Returns the ids of the dragged chats, nothing if `data` does not contain chats."""
    with suppress(ValueError, TypeError):
        return tuple(map(str, json.loads(bytes(data.data(CHATS_MIME).data()) or b"[]")))
    return ()


def request_drop(chat_ids: Sequence[str], index: QModelIndex, model: ChatListModel, requests: ChatRequests) -> None:
    """Requests the action of a drop on the row at `index`: to pin, archive or move the chats, or to create a folder for
    them."""
    match section_of(model[index.row()], {folder.id for folder in model.folders}):
        case Section.PINNED:
            requests.pin_requested.emit(chat_ids, True)
        case Section.ARCHIVE:
            requests.archive_requested.emit(chat_ids, True)
        case Section.FOLDERS:
            requests.new_folder_requested.emit(chat_ids)
        case str() as folder_id:
            requests.move_requested.emit(chat_ids, folder_id)


def _drag_pixmap(theme: Theme, text: str, scale: float) -> QPixmap:
    """Draws the label with `text` that is shown under the pointer during a drag."""
    font = text_font(13)
    metrics = QFontMetrics(font)
    text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, MAX_TEXT_WIDTH)
    size = QSize(metrics.horizontalAdvance(text) + 2 * PADDING, HEIGHT)
    pixmap = QPixmap(size * scale)
    pixmap.setDevicePixelRatio(scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.colour("accent"), 1))
    painter.setBrush(theme.colour("surface"))
    box = QRectF(0.5, 0.5, size.width() - 1, size.height() - 1)
    painter.drawRoundedRect(box, 8, 8)
    painter.setFont(font)
    painter.setPen(theme.colour("text"))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
    painter.end()
    return pixmap

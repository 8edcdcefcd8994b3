"""Chats that are dragged to another place of the list."""

from __future__ import annotations

import json
from contextlib import suppress

from PySide6.QtCore import QMimeData, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen, QPixmap

from desktop.chat.chat_list import CHATS_MIME
from desktop.chat.sections import ArchiveRow, FolderRow, Row, Section
from desktop.store.records import Chat
from desktop.theme import Theme, text_font

HEIGHT, WIDEST, PADDING = 30, 220, 12


def dragged(data: QMimeData) -> tuple[str, ...]:
    """The ids of the chats that are dragged; none where it is something else."""
    with suppress(ValueError, TypeError):
        return tuple(map(str, json.loads(bytes(data.data(CHATS_MIME).data()) or b"[]")))
    return ()


def head_of(row: Row, folder_ids: set[str]) -> Row | str:
    """The part of the list that a row belongs to: its own heading, or for a chat the folder's id, the archive, the
    pinned, or "" for the days."""
    match row:
        case Chat(archived=True):
            return Section.ARCHIVE
        case Chat(pinned=True):
            return Section.PINNED
        case Chat(folder_id=folder_id):
            return folder_id if folder_id in folder_ids else ""
        case FolderRow(folder=folder):
            return folder.id
        case ArchiveRow():
            return Section.ARCHIVE
        case Section.PINNED | Section.FOLDERS:
            return row
    return ""


def drag_pixmap(theme: Theme, words: str, scale: float) -> QPixmap:
    """What is seen under the pointer: a slip of paper with these words."""
    font = text_font(13)
    probe = QPixmap(1, 1)
    painter = QPainter(probe)
    painter.setFont(font)
    words = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, WIDEST)
    size = QSize(painter.fontMetrics().horizontalAdvance(words) + 2 * PADDING, HEIGHT)
    painter.end()
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
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
    painter.end()
    return pixmap

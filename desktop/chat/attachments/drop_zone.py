"""Receives files that are dropped onto a page, and finds the paths of dropped or pasted files."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote_to_bytes

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt, QUrl, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

MARGIN = 12


def files_of(mime: QMimeData) -> list[Path]:
    """Paths of the local files in dropped or pasted data."""
    return [_path_of(url) for url in mime.urls() if url.isLocalFile()]


def _path_of(url: QUrl) -> Path:
    """Path of a file URL. Qt's `toLocalFile` replaces bytes that are not UTF-8 by U+FFFD; such a path is decoded from
    the encoded URL instead."""
    path = url.toLocalFile()
    if "\ufffd" in path and os.name == "posix":
        path = os.fsdecode(unquote_to_bytes(bytes(url.path(QUrl.ComponentFormattingOption.FullyEncoded).encode())))
    return Path(path)


def is_picture(mime: QMimeData) -> bool:
    return mime.hasImage() and not mime.hasText()


class DropZone(QFrame):
    """Overlay that covers `page` while files are dragged over it, and receives the dropped files."""

    files_given = Signal(list)

    def __init__(self, page: QWidget) -> None:
        super().__init__(page)
        self._page = page
        self.setObjectName("dropZone")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        text = QLabel(self.tr("Drop files here to attach them"), self)
        text.setObjectName("dropText")
        column = QVBoxLayout(self)
        column.addWidget(text, alignment=Qt.AlignmentFlag.AlignCenter)
        page.setAcceptDrops(True)
        page.installEventFilter(self)
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is not self._page:
            return False
        if isinstance(event, QDragEnterEvent) and files_of(event.mimeData()):
            self._cover()
            event.acceptProposedAction()
            return True
        if event.type() == QEvent.Type.Drop and isinstance(event, QDropEvent):
            self.hide()
            # With a move action, the file manager would delete the original file.
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.files_given.emit(files_of(event.mimeData()))
            return True
        if event.type() in (QEvent.Type.DragLeave, QEvent.Type.Hide):
            self.hide()
        elif event.type() == QEvent.Type.Resize and not self.isHidden():
            self._cover()
        return False

    def _cover(self) -> None:
        self.setGeometry(self._page.rect().adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN))
        self.show()
        self.raise_()

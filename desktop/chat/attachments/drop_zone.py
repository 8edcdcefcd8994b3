"""Takes files that are dropped anywhere on a page, and says so while they hover over it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from desktop.chat.composer.message_edit import files_of

MARGIN = 12


class DropZone(QFrame):
    """Lies over `page`, unseen and without a part in anything until files are dragged onto it."""

    files_given = Signal(list)

    def __init__(self, page: QWidget) -> None:
        super().__init__(page)
        self._page = page
        self.setObjectName("dropZone")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        words = QLabel(self.tr("Drop files here to attach them"), self)
        words.setObjectName("dropText")
        column = QVBoxLayout(self)
        column.addWidget(words, alignment=Qt.AlignmentFlag.AlignCenter)
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
            event.setDropAction(Qt.DropAction.CopyAction)  # a move would take the file away from where it lies
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

"""What a screen reader finds of a message: the page itself is only a picture to it."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QRect, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget

from desktop.store.records import ChatMessage


def _tr(text: str) -> str:
    return QCoreApplication.translate("transcript", text)


class Spoken(QLabel):
    """Lies over the message, says who speaks and what, and is not seen. GUI thread only."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def arrange(self, message: ChatMessage, box: QRect) -> None:
        words = (_tr("You: {text}") if message.role == "user" else _tr("Answer: {text}")).format(text=message.text)
        if self.accessibleName() != words:
            self.setAccessibleName(words)
        self.setGeometry(box)
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        pass

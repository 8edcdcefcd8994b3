"""What a screen reader finds of a message: the page itself is only a picture to it."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QRect, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget

from desktop.render.excerpt import excerpt
from desktop.store.records import ChatMessage

translate = QCoreApplication.translate


class AccessibleProxy(QLabel):
    """Lies over the message, says who speaks and what, and is not seen. GUI thread only."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def arrange(self, message: ChatMessage, box: QRect) -> None:
        question, answer = translate("transcript", "You: {text}"), translate("transcript", "Answer: {text}")
        words = (question if message.role == "user" else answer).format(text=excerpt(message.text))
        if self.accessibleName() != words:
            self.setAccessibleName(words)
        self.setGeometry(box)
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        pass

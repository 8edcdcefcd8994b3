"""Makes the transcript accessible to screen readers: one accessible widget per message, and announcements of answers
that have ended."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QRect, Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget

from desktop.render.long_text import excerpt
from desktop.store.records import ChatMessage

translate = QCoreApplication.translate


class AccessibleProxy(QLabel):
    """A widget that represents a painted message to screen readers. It is invisible and transparent to the mouse. GUI
    thread only."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def represent(self, message: ChatMessage, box: QRect) -> None:
        """Represents `message`. `box` is the message's rectangle in the parent widget."""
        user, answer = translate("transcript", "You: {text}"), translate("transcript", "Answer: {text}")
        name = (user if message.role == "user" else answer).format(text=excerpt(message.text))
        if self.accessibleName() != name:
            self.setAccessibleName(name)
        self.setGeometry(box)
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        pass


def announce(widget: QWidget, text: str) -> None:
    """If a screen reader is running, makes it speak a text."""
    if QAccessible.isActive():
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, text))

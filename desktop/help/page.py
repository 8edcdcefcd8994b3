"""The page of help: the topics at the left, what they say at the right."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from desktop.chat.message_list import MessageList
from desktop.help.topics import FOLDER, Topic
from desktop.platform.theme import Theme
from desktop.store.records import ChatMessage
from desktop.transcript.message_controls import MessageControls
from desktop.transcript.message_item import MessageItem
from desktop.transcript.view import TranscriptView
from desktop.widgets.page_view import PageView
from desktop.widgets.sidebar_button import SidebarButton

TOPICS_WIDTH, TOPIC_HEIGHT = 220, 34
NARROW = 720
READ_AT = 160
"""Pixels below the top at which somebody reads who has just come to a topic."""


class _TopicItem(MessageItem):
    """Words to read: there is nothing to do with them but to copy."""

    space_above = 36

    @property
    def has_actions(self) -> bool:
        return False


class ArticleView(TranscriptView):
    """All topics, one below the other. GUI thread only."""

    offers_end = False  # nobody waits for the last topic, and it would lie over the words

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._inline_images.folders = (FOLDER,)

    def can_ask(self, item: MessageItem) -> bool:
        return False

    def _make(self, message: ChatMessage, width: int) -> MessageItem:
        item = _TopicItem(message, self._theme, width, self._inline_images)
        self._controls[message.id] = MessageControls(item, self._theme, self.viewport(), self._callbacks)
        return item

    @property
    def read_row(self) -> int:
        """The topic that is read now; -1 where there is none."""
        return self._row_at(READ_AT)


class HelpPage(PageView, QWidget):
    """GUI thread only."""

    def __init__(self, theme: Theme, topics: Sequence[Topic], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("helpPage")
        self.sidebar_button = SidebarButton(theme, self)
        self.contents = QListWidget(self)
        self.contents.setObjectName("topics")
        self.contents.setAccessibleName(self.tr("Topics"))
        self.contents.setFixedWidth(TOPICS_WIDTH)
        for topic in topics:
            entry = QListWidgetItem(topic.title, self.contents)
            entry.setData(Qt.ItemDataRole.UserRole, topic.id)
            entry.setSizeHint(QSize(0, TOPIC_HEIGHT))
        self.view = ArticleView(theme, self)
        self.view.setAccessibleName(self.tr("Help"))
        self._going = False
        self._messages = MessageList(self)
        self.view.set_list(self._messages)
        self._theme, self._topics = theme, topics
        self._messages.show([self._message(topic) for topic in topics])
        theme.changed.connect(self._show_pictures)
        self.contents.currentRowChanged.connect(self._go)
        self.view.verticalScrollBar().valueChanged.connect(self._mark)
        self._lay_out()
        self.contents.setCurrentRow(0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.contents.setVisible(self.width() >= NARROW)

    def _message(self, topic: Topic) -> ChatMessage:
        text = topic.text_in(self._theme.scheme)
        return ChatMessage(topic.id, "", None, "assistant", text, "complete", 0.0)

    def _show_pictures(self) -> None:
        """Those of the scheme in force."""
        for topic in self._topics:
            self._messages.replace(self._message(topic))

    def _go(self, row: int) -> None:
        if row >= 0:
            self._going = True
            self.view.show_message(str(self.contents.item(row).data(Qt.ItemDataRole.UserRole)))
            self._going = False

    def _mark(self) -> None:
        """The topic that is read now is the one that is chosen."""
        if not self._going:
            self.contents.blockSignals(True)
            self.contents.setCurrentRow(self.view.read_row)
            self.contents.blockSignals(False)

    def _lay_out(self) -> None:
        title = QLabel(self.tr("Help"), self)
        title.setObjectName("pageTitle")
        head = QHBoxLayout()
        head.setContentsMargins(36, 28, 36, 8)
        head.setSpacing(8)
        head.addWidget(self.sidebar_button)
        head.addWidget(title, 1)
        body = QHBoxLayout()
        body.setContentsMargins(24, 0, 0, 0)
        body.addWidget(self.contents)
        body.addWidget(self.view, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addLayout(body, 1)

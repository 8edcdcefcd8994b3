"""Help page: the list of topics on the left, their texts on the right."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from desktop.help.article_view import ArticleView
from desktop.help.topics import Topic
from desktop.platform.theme import Theme
from desktop.widgets.page_title import PageTitle
from desktop.widgets.page_view import PageView

TOPICS_WIDTH, TOPIC_HEIGHT = 220, 34
MIN_WIDTH_FOR_TOPICS = 720
"""Width in pixels. A narrower page hides the list of topics."""


class HelpPage(PageView, QWidget):
    """Shows the texts of all `topics` one below the other in one view. GUI thread only."""

    def __init__(self, theme: Theme, topics: Sequence[Topic], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("helpPage")
        self._title = PageTitle(theme, self.tr("Help"), "", self)
        self.sidebar_button = self._title.sidebar_button
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
        self._scrolling_to_topic = False
        self._theme, self._topics = theme, topics
        self.view.show_articles({topic.id: topic.text_in(theme.scheme) for topic in topics})
        theme.changed.connect(self._show_pictures)
        self.contents.currentRowChanged.connect(self._scroll_to_topic)
        self.view.verticalScrollBar().valueChanged.connect(self._select_current_topic)
        self._lay_out()
        self.contents.setCurrentRow(0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.contents.setVisible(self.width() >= MIN_WIDTH_FOR_TOPICS)

    def _show_pictures(self) -> None:
        """Replace the pictures in the texts by those of the current colour scheme."""
        for topic in self._topics:
            self.view.replace_article(topic.id, topic.text_in(self._theme.scheme))

    def _scroll_to_topic(self, row: int) -> None:
        if row >= 0:
            self._scrolling_to_topic = True
            self.view.show_message(self._topics[row].id)
            self._scrolling_to_topic = False

    def _select_current_topic(self) -> None:
        """In the list of topics, select the one that is shown at the scroll position."""
        if not self._scrolling_to_topic:
            with QSignalBlocker(self.contents):
                self.contents.setCurrentRow(self.view.current_row)

    def _lay_out(self) -> None:
        self._title.setContentsMargins(36, 28, 36, 8)
        body = QHBoxLayout()
        body.setContentsMargins(24, 0, 0, 0)
        body.addWidget(self.contents)
        body.addWidget(self.view, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._title)
        column.addLayout(body, 1)

"""Read-only view of Markdown articles, for the user guide and the release notes."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtWidgets import QWidget

from desktop.chat.message_list import MessageList
from desktop.help.topics import FOLDER
from desktop.platform.theme import Theme
from desktop.store.records import ChatMessage
from desktop.transcript.view import TranscriptView

READING_OFFSET = 160
"""Distance below the top of the view, in pixels. The article at this position counts as the current one."""


class ArticleView(TranscriptView):
    """Shows articles one below the other. GUI thread only."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent, read_only=True, picture_folders=(FOLDER,))
        self._articles = MessageList(self)
        self.set_list(self._articles)

    def show_articles(self, texts: Mapping[str, str]) -> None:
        """Replace all articles. `texts` maps the id of each article to its Markdown."""
        self._articles.show([_message(article_id, text) for article_id, text in texts.items()])

    def replace_article(self, article_id: str, text: str) -> None:
        """Replace the text of one article without changing the scroll position."""
        self._articles.replace(_message(article_id, text))

    @property
    def current_row(self) -> int:
        """Index of the article at `READING_OFFSET`; -1 if there is none."""
        return self.column.row_at(READING_OFFSET)


def _message(article_id: str, text: str) -> ChatMessage:
    return ChatMessage(article_id, "", None, "assistant", text, "complete", 0.0)

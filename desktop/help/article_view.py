"""Read-only view of Markdown texts, for the user guide and release notes."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtWidgets import QWidget

from desktop.chat.message_list import MessageList
from desktop.help.topics import FOLDER
from desktop.platform.theme import Theme
from desktop.store.records import ChatMessage
from desktop.transcript.view import TranscriptView

READING_OFFSET = 160
"""Pixels below the top of the view. The article at this position counts as the one that is read."""


class ArticleView(TranscriptView):
    """Shows articles one below the other. GUI thread only."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent, read_only=True, picture_folders=(FOLDER,))
        self._articles = MessageList(self)
        self.set_list(self._articles)

    def show_articles(self, texts: Mapping[str, str]) -> None:
        """`texts` has Markdown by the id of the article."""
        self._articles.show([_message(article_id, text) for article_id, text in texts.items()])

    def replace_article(self, article_id: str, text: str) -> None:
        """Replace the text of one article without changing the scroll position."""
        self._articles.replace(_message(article_id, text))

    @property
    def current_row(self) -> int:
        """Row of the article that is read; -1 if there is none."""
        return self.column.row_at(READING_OFFSET)


def _message(article_id: str, text: str) -> ChatMessage:
    return ChatMessage(article_id, "", None, "assistant", text, "complete", 0.0)

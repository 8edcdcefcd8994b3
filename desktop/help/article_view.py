"""Read-only view of Markdown texts, for the user guide and release notes."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from desktop.help.topics import FOLDER
from desktop.platform.theme import Theme
from desktop.store.records import ChatMessage
from desktop.transcript.message_controls import MessageControls
from desktop.transcript.message_item import MessageItem
from desktop.transcript.view import TranscriptView

READING_OFFSET = 160
"""Pixels below the top of the view. The article at this position counts as the one that is read."""


class _ArticleItem(MessageItem):
    """A message without buttons."""

    space_above = 36

    @property
    def has_actions(self) -> bool:
        return False


class ArticleView(TranscriptView):
    """Shows each message of its list as an article, one below the other. GUI thread only."""

    offers_end = False  # the button that scrolls to the end would cover text

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._inline_images.folders = (FOLDER,)

    def can_ask(self, item: MessageItem) -> bool:
        """No alternatives for words: the text is not a model's."""
        return False

    def _make(self, message: ChatMessage, width: int) -> MessageItem:
        item = _ArticleItem(message, self._theme, width, self._inline_images)
        self._controls[message.id] = MessageControls(item, self._theme, self.viewport(), self._callbacks)
        return item

    @property
    def current_row(self) -> int:
        """Row of the article that is read; -1 if there is none."""
        return self._row_at(READING_OFFSET)

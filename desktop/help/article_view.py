"""Read-only view of Markdown texts, for the user guide and release notes."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from desktop.help.topics import FOLDER
from desktop.platform.theme import Theme
from desktop.transcript.view import TranscriptView

READING_OFFSET = 160
"""Pixels below the top of the view. The article at this position counts as the one that is read."""


class ArticleView(TranscriptView):
    """Shows each message of its list as an article, one below the other. GUI thread only."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent, read_only=True, picture_folders=(FOLDER,))

    @property
    def current_row(self) -> int:
        """Row of the article that is read; -1 if there is none."""
        return self.column.row_at(READING_OFFSET)

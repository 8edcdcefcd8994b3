"""The dialog with the notes of a new release and a button for its download page."""

from __future__ import annotations

from PySide6.QtCore import QUrl, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.help.article_view import ArticleView
from desktop.platform.theme import Theme
from desktop.updates.releases import Release


class ReleaseDialog(QDialog):
    """Shows a new release. The dialog deletes itself when it is closed. GUI thread only."""

    download_requested = Signal(QUrl)
    """The user wants to download the release. Carries the address of the download page."""

    def __init__(self, release: Release, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("releaseCard")
        self.setWindowTitle("Inglenook")
        self.resize(520, 440)
        self._page = QUrl(release.page)
        title = QLabel(self.tr("Inglenook {version} is available").format(version=release.version), self)
        title.setObjectName("pageTitle")
        self.notes = ArticleView(theme, self)
        self.notes.setAccessibleName(self.tr("What is new"))
        self.notes.show_articles({"notes": release.notes})
        self.later = self._button(self.tr("Not now"), "plain", self.close)
        self.download = self._button(self.tr("Open the download page"), "primary", self._download)
        row = QHBoxLayout()
        row.setContentsMargins(24, 0, 24, 0)
        row.addStretch(1)
        row.addWidget(self.later)
        row.addWidget(self.download)
        head = QHBoxLayout()
        head.setContentsMargins(24, 0, 24, 0)
        head.addWidget(title)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 20, 0, 20)
        column.setSpacing(12)
        column.addLayout(head)
        column.addWidget(self.notes, 1)
        column.addLayout(row)
        self.finished.connect(self.deleteLater)
        self.download.setFocus()

    def _button(self, text: str, name: str, act: object) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.clicked.connect(act)
        return button

    def _download(self) -> None:
        self.download_requested.emit(self._page)
        self.close()

"""Cards of the downloads, each with its progress and buttons to pause and cancel it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from desktop.models import strings
from desktop.models.download_manager import DownloadState
from desktop.platform.theme import Theme
from desktop.widgets.card_parts import Card, IconButton, label


class DownloadCards(QWidget):
    """Shows a card for each download; hidden if there is none. The signals carry the key of a download."""

    pause_requested = Signal(str)
    resume_requested = Signal(str)
    cancel_requested = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._cards: dict[str, DownloadCard] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(10)
        self.hide()

    @property
    def cards(self) -> tuple[DownloadCard, ...]:
        return tuple(self._cards.values())

    def show_states(self, states: tuple[DownloadState, ...]) -> None:
        for key in self._cards.keys() - {state.key for state in states}:
            card = self._cards.pop(key)
            if (focused := self.window().focusWidget()) is not None and card.isAncestorOf(focused):
                self.focusNextChild()  # without this, Qt would move the focus out of the page
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        for state in states:
            if state.key not in self._cards:
                self._add(state.key)
            self._cards[state.key].show_state(state)
        self.setVisible(bool(states))

    def _add(self, key: str) -> None:
        card = self._cards[key] = DownloadCard(self._theme, self)
        card.pause.clicked.connect(
            lambda: (self.pause_requested if card.is_active else self.resume_requested).emit(key)
        )
        card.cancel.clicked.connect(lambda: self.cancel_requested.emit(key))
        self._column.addWidget(card)


class DownloadCard(Card):
    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.is_active = True
        """Whether a click on the button pauses the download. If False, a click resumes the download."""
        self._name = label("cardTitle", "", self)
        self._about = label("cardLabel", "", self)
        self.bar = _ProgressBar(theme, self)
        self.text = label("cardLabel", "", self, wraps=True)
        self.text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.pause = IconButton(theme, "pause", self.tr("Pause"), self)
        self.cancel = IconButton(theme, "x", self.tr("Cancel"), self)
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(self._name)
        head.addWidget(self._about, 1)
        line = QHBoxLayout()
        line.setSpacing(12)
        line.addWidget(self.bar, 1)
        line.addWidget(self.text, 1)
        texts = QVBoxLayout()
        texts.setSpacing(8)
        texts.addLayout(head)
        texts.addLayout(line)
        row = QHBoxLayout(self)
        row.setContentsMargins(18, 14, 14, 14)
        row.setSpacing(4)
        row.addLayout(texts, 1)
        row.addSpacing(14)
        row.addWidget(self.pause)
        row.addWidget(self.cancel)

    def show_state(self, state: DownloadState) -> None:
        self.is_active = state.is_active
        self._name.setText(state.name)
        self._about.setText(strings.download_details(state))
        progress = strings.download_state(state)
        self.text.setText(progress)
        self.bar.show_share(state.n_bytes, state.size_bytes, state.stage)
        self.bar.setVisible(state.stage not in ("resolving", "failed"))
        self.bar.setAccessibleName(self.tr("Download of {name}").format(name=state.name))
        self.bar.setAccessibleDescription(progress)
        name = self.tr("Pause {name}") if self.is_active else self.tr("Resume {name}")
        icon = "rotate-cw" if state.stage == "failed" else "pause" if self.is_active else "play"
        self.pause.show_icon(icon, name.format(name=state.name))
        self.cancel.show_icon("x", self.tr("Cancel the download of {name}").format(name=state.name))


class _ProgressBar(QProgressBar):
    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._share = 0.0
        self._is_muted = False
        self.setTextVisible(False)
        self.setRange(0, 1000)
        self.setFixedHeight(16)
        self.setMinimumWidth(80)
        theme.changed.connect(self.update)

    def show_share(self, n_bytes: int, size_bytes: int, stage: str) -> None:
        self._share = min(1.0, n_bytes / size_bytes) if size_bytes else 0.0
        self._is_muted = stage in ("paused", "waiting")
        self.setValue(round(1000 * self._share))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        track = QRectF(0, self.height() / 2 - 3, self.width(), 6)
        painter.setBrush(self._theme.colour("line"))
        painter.drawRoundedRect(track, 3, 3)
        if self._share:
            track.setWidth(max(6.0, self._share * self.width()))
            painter.setBrush(self._theme.colour("muted" if self._is_muted else "accent"))
            painter.drawRoundedRect(track, 3, 3)
        painter.end()

"""Greeting in an empty chat: a title, the state of the model, and buttons that insert the beginning of a message."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.chat.header import ModelState
from desktop.platform.theme import Theme, scaled

WIDTH = 560
LOW_HEIGHT = 330
LOW_HEIGHT_WITH_CARD = 410
MARGINS = (24, 0, 24, 12)


class Greeting(QWidget):
    """Greeting that is shown instead of the transcript until the open chat has messages."""

    starter_chosen = Signal(str)
    """Emitted with the beginning of a message."""
    model_file_requested = Signal()

    def __init__(self, theme: Theme, now: Callable[[], datetime] = datetime.now, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._now = now
        self.setObjectName("greeting")
        self._flame = QLabel(self, alignment=Qt.AlignmentFlag.AlignCenter)
        self._title = _label("greetingTitle", self)
        self._text = _label("greetingText", self)
        self._text.setWordWrap(True)
        self._choose = QPushButton(self.tr("Choose a model file…"), self)
        self._choose.setObjectName("primary")
        self._choose.clicked.connect(self.model_file_requested)
        self._starters = [self._starter(*starter) for starter in self._starter_texts()]
        self._card: QWidget | None = None
        self._lay_out()
        self.show_model("loading")
        self.greet()
        theme.changed.connect(self._restyle)
        self._restyle()

    def show_model(self, state: ModelState, text_elsewhere: str = "") -> None:
        """Show whether a model is ready. `text_elsewhere` is the text for a model that does not run in this app."""
        if text_elsewhere:
            text = text_elsewhere
        elif state == "ready":
            text = self.tr("A model is loaded on this computer. Nothing you write leaves it.")
        elif state == "loading":
            text = self.tr("The model is being loaded. You can already write; it answers as soon as it is ready.")
        else:
            text = self.tr("There is no model yet. Choose a GGUF file on this computer; it is not copied.")
        self._text.setText(text)
        self._choose.setVisible(state == "none" and not text_elsewhere)
        self.fit()

    def add_card(self, card: QWidget) -> None:
        """Add a card below the buttons. Call `fit` when it is shown or hidden."""
        self._card = card
        self._column.addSpacing(14)
        self._column.addWidget(card)
        self.fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def fit(self) -> None:
        """If the window is not high enough, hide some buttons, and if need be the title and the text, so that the
        button for choosing a model and the added card stay visible."""
        has_card = self._card is not None and not self._card.isHidden()
        low = self.height() < scaled(LOW_HEIGHT) and not self._choose.isHidden()
        low = low or (has_card and self.height() < scaled(LOW_HEIGHT_WITH_CARD))
        for starter in self._starters[2:]:
            starter.setVisible(not low)
        for starter in self._starters[:2]:
            starter.setVisible(not (has_card and self.height() < scaled(LOW_HEIGHT)))
        parts = (self._flame, self._title, self._text)
        for part in parts:
            part.show()
        for part in parts if has_card else ():
            if self._needed_height() > self.height():
                part.hide()

    def _needed_height(self) -> int:
        """The height of all visible parts, in pixels."""
        left, _, right, bottom = MARGINS
        self._column.invalidate()
        return self._column.totalHeightForWidth(min(WIDTH, self.width() - left - right)) + bottom

    def greet(self) -> None:
        """Show the greeting for the current time of day."""
        hour = self._now().hour
        if 5 <= hour < 12:
            self._title.setText(self.tr("Good morning"))
        elif 12 <= hour < 18:
            self._title.setText(self.tr("Good afternoon"))
        else:
            self._title.setText(self.tr("Good evening"))

    def _starter_texts(self) -> list[tuple[str, str, str]]:
        """Icon, label and text of each button that inserts the beginning of a message."""
        return [
            (
                "pen-line",
                self.tr("Draft a kind but firm reply"),
                self.tr("Draft a kind but firm reply to this message:\n\n"),
            ),
            ("code", self.tr("Explain a piece of code"), self.tr("Explain what this code does, step by step:\n\n")),
            ("list-checks", self.tr("Turn notes into a plan"), self.tr("Turn these notes into a plan with steps:\n\n")),
            ("languages", self.tr("Translate and explain"), self.tr("Translate this and explain the hard words:\n\n")),
        ]

    def _starter(self, icon: str, title: str, text: str) -> QPushButton:
        card = QPushButton("  " + title, self)
        card.setObjectName("starter")
        card.setProperty("icon_name", icon)
        card.setAccessibleName(title)
        card.setIconSize(QSize(16, 16))
        card.setFixedHeight(46)
        card.clicked.connect(lambda: self.starter_chosen.emit(text))
        return card

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setSpacing(10)
        for number, card in enumerate(self._starters):
            grid.addWidget(card, number // 2, number % 2)
        inner = QWidget(self)
        inner.setMaximumWidth(WIDTH)
        column = self._column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget, space in ((self._flame, 14), (self._title, 14), (self._text, 16)):
            column.addWidget(widget)
            column.addSpacing(space)
        column.addWidget(self._choose, alignment=Qt.AlignmentFlag.AlignCenter)
        column.addSpacing(8)
        column.addLayout(grid)
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(inner, 1000)
        middle.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(*MARGINS)
        outer.addStretch(1)
        outer.addLayout(middle)
        outer.addStretch(1)

    def _restyle(self) -> None:
        self._flame.setPixmap(self._theme.pixmap("flame", "accent", 20, self.devicePixelRatioF()))
        for card in self._starters:
            card.setIcon(self._theme.icon(str(card.property("icon_name")), "muted"))


def _label(name: str, parent: QWidget) -> QLabel:
    label = QLabel(parent, alignment=Qt.AlignmentFlag.AlignCenter)
    label.setObjectName(name)
    return label

"""The card in which one chooses the language of the window."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop.platform.language import LANGUAGES
from desktop.settings.settings_file import LanguageChoice
from desktop.widgets.card_parts import ChoiceButton


class LanguageCard(QFrame):
    """Shows and emits; GUI thread only."""

    chosen = Signal(str)
    """A `LanguageChoice`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._buttons = QButtonGroup(self)
        title = QLabel(self.tr("Language"), self)
        title.setObjectName("cardTitle")
        about = QLabel(self.tr("Another language is spoken from the next start on."), self)
        about.setObjectName("quietText")
        about.setWordWrap(True)
        row = QHBoxLayout()
        row.setSpacing(8)
        self._add(row, "system", self.tr("As the system"))
        for language, name in LANGUAGES.items():
            self._add(row, language, name)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 14, 18, 16)
        column.setSpacing(10)
        column.addWidget(title)
        column.addWidget(about)
        column.addLayout(row)

    def show_choice(self, choice: LanguageChoice) -> None:
        for button in self._buttons.buttons():
            button.setChecked(button.property("choice") == choice)

    def _add(self, row: QHBoxLayout, choice: str, words: str) -> None:
        button = ChoiceButton("choice", words, self)
        button.setProperty("choice", choice)
        button.clicked.connect(lambda: self.chosen.emit(choice))
        self._buttons.addButton(button)
        row.addWidget(button)

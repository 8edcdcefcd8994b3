"""The page of settings: looks, chats in and out, and what this is."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop.framework.actions import Actions
from desktop.import_export.card import ImportExportCard
from desktop.platform.theme import TEXT_SIZES, Theme
from desktop.settings.background_card import BackgroundCard
from desktop.settings.language_card import LanguageCard
from desktop.settings.settings_file import TEXT_SIZE, ThemeChoice
from desktop.settings.shortcuts_card import ShortcutsCard
from desktop.widgets.card_parts import ChoiceButton, set_enabled
from desktop.widgets.scroll_page import WIDTH, ScrollPage
from desktop.widgets.sidebar_button import SidebarButton
from desktop.widgets.switch import Switch


class SettingsPage(ScrollPage):
    theme_chosen = Signal(str)
    text_step_requested = Signal(int)
    """Larger (1), smaller (-1) or the usual size (0)."""
    diagnostics_requested = Signal()
    help_requested = Signal()
    updates_chosen = Signal(bool)
    """Whether it may look for new versions."""

    def __init__(self, theme: Theme, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__("settings", parent)
        self._theme = theme
        body = self._body
        self.sidebar_button = SidebarButton(theme, body)
        self.keys = ShortcutsCard(actions, body)
        self.language = LanguageCard(body)
        self.import_export = ImportExportCard(body)
        self.background = BackgroundCard(theme, body)
        self._looks = QButtonGroup(self)
        self._smaller = self._text_button("A−", self.tr("Smaller text"), -1)
        self._larger = self._text_button("A+", self.tr("Larger text"), 1)
        self._usual = self._text_button("", self.tr("Text in the usual size"), 0)
        self._copy = self._button(self.tr("Copy diagnostics"), self.diagnostics_requested.emit)
        self._updates = Switch(theme, self.tr("Look for new versions once a week"), body)
        self._updates.clicked.connect(self.updates_chosen)
        self._lay_out(body)
        self.setWidget(body)
        theme.changed.connect(self._show_text_size)
        self.show_theme(theme.choice)
        self._show_text_size()

    def show_theme(self, choice: ThemeChoice) -> None:
        for button in self._looks.buttons():
            button.setChecked(button.property("choice") == choice)

    def _show_text_size(self) -> None:
        size = self._theme.text_size
        percent = round(100 * size / TEXT_SIZE)
        self._usual.setText(self.tr("{percent} %").format(percent=percent))
        self._usual.setAccessibleName(self.tr("Size of text: {percent} %, back to 100 %").format(percent=percent))
        set_enabled(self._usual, size != TEXT_SIZE)
        set_enabled(self._smaller, size > TEXT_SIZES[0])
        set_enabled(self._larger, size < TEXT_SIZES[-1])

    def show_updates(self, on: bool) -> None:
        self._updates.setChecked(on)

    def put_diagnostics(self, text: str) -> None:
        """Takes them to the clipboard, and says so."""
        QGuiApplication.clipboard().setText(text)
        self._copy.setText(self.tr("Copied"))

    def _lay_out(self, body: QWidget) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.sidebar_button)
        head.addWidget(_text("pageTitle", self.tr("Settings"), body), 1)
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(16)
        column.addLayout(head)
        column.addWidget(self._looks_card(body))
        column.addWidget(self.language)
        column.addWidget(self.import_export)
        column.addWidget(self.background)
        column.addWidget(self.keys)
        column.addWidget(self._about_card(body))
        column.addStretch(1)
        inner = QWidget(body)
        inner.setMaximumWidth(WIDTH)
        inner.setLayout(column)
        outer = QVBoxLayout(body)
        outer.setContentsMargins(36, 28, 36, 24)
        outer.addWidget(inner)

    def _looks_card(self, body: QWidget) -> QFrame:
        row = QHBoxLayout()
        row.setSpacing(8)
        choices: list[tuple[ThemeChoice, str]] = [
            ("system", self.tr("As the system")),
            ("light", self.tr("Light")),
            ("dark", self.tr("Dark")),
        ]
        for choice, words in choices:
            button = ChoiceButton("choice", words, body)
            button.setProperty("choice", choice)
            button.clicked.connect(lambda _=False, choice=choice: self.theme_chosen.emit(choice))
            self._looks.addButton(button)
            row.addWidget(button)
        row.addStretch(1)
        size = QHBoxLayout()
        size.setSpacing(8)
        size.addWidget(QLabel(self.tr("Size of text"), body))
        size.addSpacing(8)
        for each in (self._smaller, self._usual, self._larger):
            size.addWidget(each)
        size.addStretch(1)
        return self._card(body, self.tr("Looks"), "", [row, size])

    def _about_card(self, body: QWidget) -> QFrame:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._copy)
        row.addWidget(self._button(self.tr("Help"), self.help_requested.emit))
        row.addStretch(1)
        updates = QHBoxLayout()
        updates.setSpacing(10)
        updates.addWidget(self._updates)
        updates.addWidget(_text("", self.tr("Look for new versions once a week"), body), 1)
        about = self.tr(
            "When something does not work, this helps to find out why. It names the machine, the versions and the "
            "model, and holds nothing of your chats."
        )
        return self._card(body, self.tr("About this Inglenook"), about, [row, updates])

    def _card(self, body: QWidget, title: str, about: str, rows: Sequence[QLayout]) -> QFrame:
        card = QFrame(body)
        card.setObjectName("card")
        column = QVBoxLayout(card)
        column.setContentsMargins(18, 14, 18, 16)
        column.setSpacing(10)
        column.addWidget(_text("cardTitle", title, card))
        if about:
            column.addWidget(_text("quietText", about, card))
        for row in rows:
            column.addLayout(row)
        return card

    def _text_button(self, words: str, name: str, step: int) -> QPushButton:
        button = self._button(words, lambda: self.text_step_requested.emit(step))
        button.setAccessibleName(name)
        button.setToolTip(name)
        return button

    def _button(self, words: str, act: object) -> QPushButton:
        button = QPushButton(words, self)
        button.setObjectName("plain")
        button.clicked.connect(act)
        return button


def _text(name: str, words: str, parent: QWidget) -> QLabel:
    label = QLabel(words, parent)
    label.setObjectName(name)
    label.setWordWrap(True)
    return label

"""The settings page: cards with a row for each setting, and the cards of shortcuts and of import and export."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLayout, QPushButton, QVBoxLayout, QWidget

from desktop.framework.actions import Actions
from desktop.import_export.card import ImportExportCard
from desktop.platform.theme import Theme
from desktop.settings.current_settings import AppSettings
from desktop.settings.rows import SettingRow, make_rows
from desktop.settings.setting_field import Card
from desktop.settings.shortcuts_card import ShortcutsCard
from desktop.widgets.copy_button import CopyButton
from desktop.widgets.scroll_page import ScrollPage
from desktop.widgets.sidebar_button import SidebarButton
from desktop.widgets.text_lines import CodeLine

QUICK_ASK_COMMAND = "inglenook --quick-ask"


class SettingsPage(ScrollPage):
    """The settings page. Its rows change the settings immediately. GUI thread only."""

    shown = Signal()

    def __init__(
        self,
        theme: Theme,
        settings: AppSettings,
        actions: Actions,
        diagnostics: Callable[[], str],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__("settings", parent)
        self._theme, self._actions, self._diagnostics = theme, actions, diagnostics
        body = QWidget(self._body)
        self.sidebar_button = SidebarButton(theme, body)
        self._rows = make_rows(settings, theme, body)
        self.shortcuts = ShortcutsCard(actions, body)
        self.import_export = ImportExportCard(body)
        self._copy = self._button(self.tr("Copy diagnostics"), self.copy_diagnostics)
        self._lay_out(body)
        self._put_in_the_middle(body)

    def row(self, name: str) -> SettingRow:
        """The row of the setting that is named `name`."""
        return self._rows[name][1]

    def copy_diagnostics(self) -> None:
        """Copies the diagnostics to the clipboard, and shows "Copied" on the button."""
        QGuiApplication.clipboard().setText(self._diagnostics())
        self._copy.setText(self.tr("Copied"))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.shown.emit()

    def _lay_out(self, body: QWidget) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.sidebar_button)
        head.addWidget(_label("pageTitle", self.tr("Settings"), body), 1)
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(16)
        column.addLayout(head)
        column.addWidget(self._card("appearance", self.tr("Appearance")))
        column.addWidget(self._card("language", self.tr("Language"), self.tr("Takes effect after a restart.")))
        column.addWidget(self.import_export)
        column.addWidget(self._card("notifications", self.tr("Notifications and tray"), below=self._quick_ask()))
        column.addWidget(self.shortcuts)
        about = self.tr(
            "When something does not work, this helps to find out why. It names the machine, the versions and the "
            "model, and holds nothing of your chats."
        )
        column.addWidget(self._card("about", self.tr("About this Inglenook"), about, above=[self._about_buttons()]))
        column.addStretch(1)

    def _card(
        self, card: Card, title: str, about: str = "", *, above: Sequence[QLayout] = (), below: Sequence[QLayout] = ()
    ) -> QFrame:
        """A card with a title and the rows of its settings. The layouts `above` and `below` are added around the
        rows."""
        frame = QFrame(self._body)
        frame.setObjectName("card")
        column = QVBoxLayout(frame)
        column.setContentsMargins(18, 14, 18, 16)
        column.setSpacing(10)
        column.addWidget(_label("cardTitle", title, frame))
        if about:
            column.addWidget(_label("quietText", about, frame))
        for layout in above:
            column.addLayout(layout)
        for row_card, row in self._rows.values():
            if row_card == card:
                column.addWidget(row)
        for layout in below:
            column.addLayout(layout)
        return frame

    def _quick_ask(self) -> list[QLayout]:
        """Explains how the user sets a system-wide shortcut for Quick ask."""
        about = QHBoxLayout()
        about.setContentsMargins(0, 4, 0, 0)
        text = self.tr(
            "For a quick question from anywhere, give this command a key in the keyboard settings of your system. "
            "It opens a small window above all others, and the answer becomes a chat."
        )
        about.addWidget(_label("quietText", text, self._body))
        line = CodeLine(self._body)
        line.show_text(QUICK_ASK_COMMAND)
        line.setAccessibleName(self.tr("Command for a quick question"))
        copy = CopyButton(self._theme, self.tr("Copy the command"), lambda: QUICK_ASK_COMMAND, self._body)
        command = QHBoxLayout()
        command.addWidget(line, 1)
        command.addWidget(copy)
        return [about, command]

    def _about_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._copy)
        row.addWidget(self._button(self.tr("Help"), lambda: self._actions["help"].trigger()))
        row.addStretch(1)
        return row

    def _button(self, text: str, act: Callable[[], None]) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName("plain")
        button.clicked.connect(lambda: act())
        return button


def _label(name: str, text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setObjectName(name)
    label.setWordWrap(True)
    return label

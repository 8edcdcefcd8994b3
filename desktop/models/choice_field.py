"""A button that shows one of several choices, and whose menu changes it."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QPushButton, QSizePolicy, QWidget

from desktop.platform.text_escaping import button_text

MAX_LENGTH = 32
"""Longer names are cut off on the button, so that it is not wider than the sheet. The menu shows them whole."""


class ChoiceField(QPushButton):
    """GUI thread only."""

    chosen = Signal(str)
    """The user chose an entry. Carries its key."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("plain")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._menu = QMenu(self)
        self.setMenu(self._menu)

    def show_choices(self, names: Mapping[str, str], chosen: str, description: str, text: str = "") -> None:
        """List the names by their keys, of which `chosen` is one. `description` has the field `name`; screen readers
        read it. `text` replaces the name on the button if there is no choice."""
        text = text if text and len(names) < 2 else names[chosen]
        self.setText(button_text(text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 1].rstrip()}…"))
        self.setAccessibleName(description.format(name=text))
        self.setEnabled(len(names) > 1)
        self._menu.clear()
        group = QActionGroup(self._menu)
        for key, name in names.items():
            action = self._menu.addAction(button_text(name))
            action.setCheckable(True)
            action.setChecked(key == chosen)
            group.addAction(action)
            action.triggered.connect(lambda _=False, key=key: self.chosen.emit(key))

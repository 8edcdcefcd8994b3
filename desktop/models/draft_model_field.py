"""The button that shows and changes the draft model of a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QPushButton, QSizePolicy, QWidget

from desktop.platform.text_escaping import button_text
from engine.files.display_name import display_name
from engine.library.model_scan import ModelFile

MAX_LENGTH = 32
"""Longer names are cut off on the button, so that it is not wider than the sheet. The menu shows them whole."""


class DraftModelField(QPushButton):
    """Shows the chosen draft model; its menu lists the models that can be chosen. GUI thread only."""

    chosen = Signal(str)
    """The path of the chosen draft model; "" for none."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("plain")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._menu = QMenu(self)
        self.setMenu(self._menu)

    def show_models(self, models: Sequence[ModelFile], chosen: str) -> None:
        """Lists `models`, and shows the one with the path `chosen`; "" means none. A chosen model that is not listed is
        shown too, so that it can be replaced."""
        names = {"": self.tr("None"), **{str(each.path): _name(each) for each in models}}
        if chosen not in names:
            names[chosen] = display_name(Path(chosen).name)
        text = names[chosen] if len(names) > 1 else self.tr("No suitable model")
        self.setText(button_text(text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 1].rstrip()}…"))
        self.setAccessibleName(self.tr("Draft model: {name}").format(name=text))
        self.setEnabled(len(names) > 1)
        self._menu.clear()
        group = QActionGroup(self._menu)
        for path, name in names.items():
            action = self._menu.addAction(button_text(name))
            action.setCheckable(True)
            action.setChecked(path == chosen)
            group.addAction(action)
            action.triggered.connect(lambda _=False, path=path: self.chosen.emit(path))


def _name(model: ModelFile) -> str:
    return f"{model.name} {model.quantisation}".strip()

"""The lines about graphics cards in the header of the models page."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from desktop.models import card_strings
from desktop.models.graphics_state import GraphicsState
from desktop.widgets.card_parts import label, link


class CardLines(QWidget):
    """A line for each card, and one for what failed, is being prepared, or can be done. Hidden if there is no line. GUI
    thread only."""

    retry_requested = Signal()
    """The user requested to try again what failed."""
    load_requested = Signal()
    """The user requested to load the model in use again, on the card."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.lines: list[CardLine] = []
        self._texts: list[tuple[str, str]] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self.hide()

    def show_state(self, state: GraphicsState) -> None:
        entries = self._entries(state)
        self.setVisible(bool(entries))
        if [action for _, action, _ in entries] != [action for _, action in self._texts]:
            for old in self.lines:
                self._column.removeWidget(old)
                old.deleteLater()
            self.lines = [CardLine(action, act, self) for _, action, act in entries]
            for line in self.lines:
                self._column.addWidget(line)
        for line, (text, _, _) in zip(self.lines, entries, strict=True):
            line.text.setText(text)
        self._texts = [(text, action) for text, action, _ in entries]

    def _entries(self, state: GraphicsState) -> list[tuple[str, str, Callable[[], None]]]:
        """Text, label of the button ("" without one) and its function, for each line."""
        retry, load = self.retry_requested.emit, self.load_requested.emit
        entries: list[tuple[str, str, Callable[[], None]]] = []
        for card in state.cards:
            device = card.device
            entries.append((card_strings.card(device, is_used=device.id in state.used), "", retry))
        entries += [(card_strings.failure(each), self.tr("Try again"), retry) for each in state.failed]
        if state.build is not None:
            action = self.tr("Try again") if state.build.error else ""
            entries.append((card_strings.building(state.build), action, retry))
        if state.offers_load:
            entries.append((card_strings.ready_to_use(), self.tr("Load again"), load))
        return entries


class CardLine(QWidget):
    def __init__(self, action: str, act: Callable[[], None], parent: QWidget) -> None:
        super().__init__(parent)
        self.text = label("settingHelp", "", self, wraps=True)
        self.button: QPushButton | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self.text, 1)
        if action:
            self.button = link(action, self)
            self.button.clicked.connect(lambda _=False: act())
            row.addWidget(self.button, alignment=Qt.AlignmentFlag.AlignTop)

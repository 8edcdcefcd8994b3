"""What the app does while its window is out of sight."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop.platform.theme import Theme
from desktop.widgets.copy_button import CopyButton
from desktop.widgets.switch import Switch
from desktop.widgets.text_lines import CodeLine

COMMAND = "inglenook --quick-ask"


class BackgroundCard(QFrame):
    """Shows and emits; GUI thread only."""

    switched = Signal(str, bool)
    """The name of a setting, and what it is now."""
    shown = Signal()
    """It has come into sight."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.switches: dict[str, Switch] = {}
        title = QLabel(self.tr("Beside other windows"), self)
        title.setObjectName("cardTitle")
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(10)
        grid.setColumnStretch(0, 1)
        for row, (name, words) in enumerate(self._choices()):
            label = QLabel(words, self)
            label.setWordWrap(True)
            switch = self.switches[name] = Switch(theme, words, self)
            switch.clicked.connect(lambda on, name=name: self.switched.emit(name, on))
            grid.addWidget(label, row, 0)
            grid.addWidget(switch, row, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 14, 18, 16)
        column.setSpacing(10)
        column.addWidget(title)
        column.addLayout(grid)
        column.addSpacing(4)
        column.addWidget(self._about())
        column.addLayout(self._command(theme))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.shown.emit()

    def show_choice(self, name: str, on: bool) -> None:
        self.switches[name].setChecked(on)

    def show_tray(self, there: bool) -> None:
        """Without an icon nothing could call the window back."""
        self.switches["stays"].setEnabled(there)

    def _choices(self) -> list[tuple[str, str]]:
        return [
            ("notifies", self.tr("Say when a long answer is ready and the window is out of sight")),
            ("tray", self.tr("Icon in the tray, where the desktop has one")),
            ("stays", self.tr("Closing the window leaves Inglenook in the tray")),
        ]

    def _about(self) -> QLabel:
        about = QLabel(
            self.tr(
                "For a quick question from anywhere, give this command a key in the keyboard settings of your system. "
                "It opens a small window above all others, and the answer becomes a chat."
            ),
            self,
        )
        about.setObjectName("quietText")
        about.setWordWrap(True)
        return about

    def _command(self, theme: Theme) -> QHBoxLayout:
        line = CodeLine(self)
        line.show_text(COMMAND)
        line.setAccessibleName(self.tr("Command for a quick question"))
        copy = CopyButton(theme, self.tr("Copy the command"), lambda: COMMAND, self)
        row = QHBoxLayout()
        row.addWidget(line, 1)
        row.addWidget(copy)
        return row

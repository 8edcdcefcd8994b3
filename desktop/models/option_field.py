"""A field for an optional value in the settings sheet of a model: a number, or what a subclass reads."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QWidget

from desktop.widgets.card_parts import label, set_style_flag

SEPARATORS = " ,.’'\u00a0\u202f"
"""Characters that are accepted between the digits of a number."""


class OptionField(QWidget):
    """A name, a text field and a help text. Invalid text is not removed but marked as wrong, so that the user can
    correct it."""

    entered = Signal(object)
    """The user entered a value. Carries the valid value, or None if the field is empty."""
    validity_changed = Signal()

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._least = self._most = 0
        self.edit = QLineEdit(self)
        self.edit.setObjectName("settingValue")
        self.edit.setFixedWidth(108)
        self.edit.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.edit.setPlaceholderText(self.tr("automatic"))
        self.edit.setAccessibleName(name)
        self.edit.editingFinished.connect(self.commit)
        self.help = label("settingHelp", "", self, wraps=True)
        title = QLabel(name, self)
        title.setWordWrap(True)
        title.setBuddy(self.edit)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(4)
        grid.addWidget(title, 0, 0)
        grid.addWidget(self.edit, 0, 1)
        grid.addWidget(self.help, 1, 0, 1, 2)
        grid.setColumnStretch(0, 1)

    @property
    def is_wrong(self) -> bool:
        return bool(self.edit.property("wrong"))

    def set_range(self, least: int, most: int, help_text: str) -> None:
        self._least, self._most = least, most
        self.help.setText(help_text)

    def show_automatic(self, text: str) -> None:
        """Show in the empty field what the automatic value is; "" if it is not known."""
        self.edit.setPlaceholderText(text or self.tr("automatic"))

    def show_value(self, value: object) -> None:
        """Show a value, unless the user is typing."""
        text = "" if value is None else self.text_of(value)
        if not self.edit.isModified() and text != self.edit.text():
            self.edit.setText(text)

    def commit(self) -> None:
        """Validate the typed text and emit `entered` if it is valid."""
        try:
            value = self.parse(self.edit.text())
        except ValueError:
            self._finish(is_wrong=True)
            return
        self._finish(is_wrong=False)
        self.entered.emit(value)

    def parse(self, text: str) -> object:
        """The value of a text; None if it is empty. Raises ValueError."""
        digits = "".join(letter for letter in text if letter not in SEPARATORS)
        if not digits:
            return None
        if not digits.isdecimal() or not self._least <= int(digits) <= self._most:
            raise ValueError(text)
        return int(digits)

    def text_of(self, value: object) -> str:
        return str(value)

    def discard_typing(self) -> None:
        """Let the next `show_value` replace what the user typed."""
        self._finish(is_wrong=False)

    def _finish(self, *, is_wrong: bool) -> None:
        self.edit.setModified(is_wrong)
        for widget in (self.edit, self.help):
            set_style_flag(widget, "wrong", is_wrong)
        self.validity_changed.emit()

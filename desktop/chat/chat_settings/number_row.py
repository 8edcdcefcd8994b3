"""Row of the settings sheet for one number: label, value, help text, reset button."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QToolButton, QWidget

from desktop.chat import strings
from desktop.chat.chat_settings.settings_form import Number
from desktop.platform.theme import Theme
from desktop.widgets.card_parts import label, set_style_flag

VALUE_WIDTH = 96


class NumberRow(QWidget):
    """Row for one number. Emits `entered(name, text)` while the user types; an empty text stands for the default.

    The reset button works with the mouse only. On the keyboard, the user resets the number by emptying the field."""

    entered = Signal(str, str)

    def __init__(self, theme: Theme, number: Number, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.number = number
        name, self._help_text = strings.setting_text(number.label), strings.setting_text(number.help)
        self._label = QLabel(name, self)
        self._label.setWordWrap(True)
        self._help = label("settingHelp", self._help_text, self, wraps=True)
        self.edit = QLineEdit(self)
        self.edit.setObjectName("settingValue")
        self.edit.setFixedWidth(VALUE_WIDTH)
        self.edit.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.edit.setPlaceholderText(strings.setting_default(number))
        self.edit.setAccessibleName(name)
        default = self.tr("Default: {value}").format(value=strings.setting_default(number))
        self.edit.setAccessibleDescription(f"{self._help_text}. {default}")
        self.edit.setToolTip(default)
        self.edit.textEdited.connect(lambda text: self.entered.emit(number.name, text))
        self._label.setBuddy(self.edit)
        self.reset = self._reset_button(name)
        self._lay_out()
        theme.changed.connect(self._restyle)
        self._restyle()
        self.show_text("")

    def _reset_button(self, name: str) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName("quiet")
        button.setFixedSize(26, 26)
        button.setIconSize(QSize(14, 14))
        button.setAccessibleName(self.tr("Reset to default: {name}").format(name=name))
        button.setToolTip(self.tr("Reset to default"))
        button.clicked.connect(self._reset)
        # If the reset button had the focus, pressing Space would reset the number by mistake.
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        policy = button.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        button.setSizePolicy(policy)
        return button

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(2)
        grid.addWidget(self._label, 0, 0)
        grid.addWidget(self.reset, 0, 1)
        grid.addWidget(self.edit, 0, 2)
        grid.addWidget(self._help, 1, 0, 1, 3)
        grid.setColumnStretch(0, 1)

    def show_text(self, text: str) -> None:
        """Show the current value as text; "" stands for the default."""
        if text != self.edit.text():
            self.edit.setText(text)
        self.show_invalid(False)
        self.reset.setVisible(bool(text))

    def show_invalid(self, invalid: bool) -> None:
        """Show whether the text in the field is invalid."""
        self._help.setText(strings.setting_problem(self.number) if invalid else self._help_text)
        self.reset.setVisible(bool(self.edit.text()))
        for widget in (self._help, self.edit):
            set_style_flag(widget, "wrong", invalid)

    def _reset(self) -> None:
        self.edit.clear()
        self.edit.setFocus()
        self.entered.emit(self.number.name, "")

    def _restyle(self) -> None:
        self.reset.setIcon(self._theme.icon("rotate-ccw", "muted"))

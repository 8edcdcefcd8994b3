"""The rows of the settings page, created from the fields in `desktop.settings.all_settings`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QPushButton, QWidget

from desktop.platform.theme import Theme
from desktop.settings.all_settings import Settings
from desktop.settings.current_settings import AppSettings
from desktop.settings.setting_field import Card, ChoiceRow, Row, StepsRow, SwitchRow, row_of
from desktop.widgets.card_parts import ChoiceButton, set_enabled
from desktop.widgets.switch import Switch


class SettingRow(QWidget):
    """A row that shows one setting and lets the user change it. GUI thread only."""

    def __init__(self, settings: AppSettings, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._settings, self._name = settings, name
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)
        settings.on_change(name, self.show_value)

    def show_value(self, value: object) -> None:
        raise NotImplementedError

    def _change(self, value: object) -> None:
        self._settings.change(**{self._name: value})
        self.show_value(value)


class SwitchSetting(SettingRow):
    def __init__(self, settings: AppSettings, name: str, row: SwitchRow, theme: Theme, parent: QWidget) -> None:
        super().__init__(settings, name, parent)
        self._row = row
        title = _translated(row.title)
        label = QLabel(title, self)
        label.setWordWrap(True)
        self.switch = Switch(theme, title, self)
        self.switch.clicked.connect(lambda on: self._change(row.on if on else row.off))
        self._layout.setSpacing(16)
        self._layout.addWidget(label, 1)
        self._layout.addWidget(self.switch)

    def show_value(self, value: object) -> None:
        self.switch.setChecked(value == self._row.on)


class ChoiceSetting(SettingRow):
    """A row with a button for each value of the setting."""

    def __init__(self, settings: AppSettings, name: str, row: ChoiceRow, parent: QWidget) -> None:
        super().__init__(settings, name, parent)
        self._group = QButtonGroup(self)
        self.buttons: dict[str, ChoiceButton] = {}
        for value, title in row.options:
            button = self.buttons[value] = ChoiceButton("choice", _translated(title), self)
            button.clicked.connect(lambda _=False, value=value: self._change(value))
            self._group.addButton(button)
            self._layout.addWidget(button)
        self._layout.addStretch(1)

    def show_value(self, value: object) -> None:
        self.buttons[str(value)].setChecked(True)


class StepsSetting(SettingRow):
    """A row with three buttons: for the next smaller value, for the default value, for the next larger value."""

    def __init__(self, settings: AppSettings, name: str, row: StepsRow, parent: QWidget) -> None:
        super().__init__(settings, name, parent)
        self._row, self._title = row, _translated(row.title)
        self.smaller = self._button("A−", self.tr("Smaller text"), lambda: self._step(-1))
        self.usual = self._button("", self.tr("Text in the usual size"), lambda: self._change(row.usual))
        self.larger = self._button("A+", self.tr("Larger text"), lambda: self._step(1))
        self._layout.addWidget(QLabel(self._title, self))
        self._layout.addSpacing(8)
        for button in (self.smaller, self.usual, self.larger):
            self._layout.addWidget(button)
        self._layout.addStretch(1)

    def show_value(self, value: object) -> None:
        assert isinstance(value, int)
        percent = round(100 * value / self._row.usual)
        self.usual.setText(self.tr("{percent} %").format(percent=percent))
        name = self.tr("{setting}: {percent} %, back to 100 %").format(setting=self._title, percent=percent)
        self.usual.setAccessibleName(name)
        set_enabled(self.usual, value != self._row.usual)
        set_enabled(self.smaller, value > self._row.steps[0])
        set_enabled(self.larger, value < self._row.steps[-1])

    def _step(self, by: int) -> None:
        self._change(next_step(self._row.steps, getattr(self._settings.value, self._name), by))

    def _button(self, text: str, name: str, act: Callable[[], None]) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName("plain")
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.clicked.connect(act)
        return button


def next_step(steps: Sequence[int], value: int, by: int) -> int:
    """Finds the step nearest to `value`, and returns the step that is `by` positions after it. A negative `by` counts
    backwards. The first and the last step are the limits."""
    place = steps.index(min(steps, key=lambda step: abs(step - value)))
    return steps[max(0, min(place + by, len(steps) - 1))]


def make_rows(settings: AppSettings, theme: Theme, parent: QWidget) -> dict[str, tuple[Card, SettingRow]]:
    """Creates a row for each setting that declares one. Returns the card and the row of each setting, by its name."""
    made: dict[str, tuple[Card, SettingRow]] = {}
    for declared in fields(Settings):
        if (row := row_of(declared)) is not None:
            widget = _make_row(settings, declared.name, row, theme, parent)
            widget.show_value(getattr(settings.value, declared.name))
            made[declared.name] = row.card, widget
    return made


def _make_row(settings: AppSettings, name: str, row: Row, theme: Theme, parent: QWidget) -> SettingRow:
    match row:
        case SwitchRow():
            return SwitchSetting(settings, name, row, theme, parent)
        case ChoiceRow():
            return ChoiceSetting(settings, name, row, parent)
        case StepsRow():
            return StepsSetting(settings, name, row, parent)


def _translated(title: str) -> str:
    return QCoreApplication.translate("settings", title)

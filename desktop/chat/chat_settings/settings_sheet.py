"""Sheet with the settings of a chat, at the right of the page."""

from __future__ import annotations

from dataclasses import fields

from PySide6.QtCore import QLocale, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.chat.chat_settings.number_row import NumberRow
from desktop.chat.chat_settings.preset_bar import PresetBar
from desktop.chat.chat_settings.presets import CHAT_ONLY_FIELDS, Presets
from desktop.chat.chat_settings.settings_form import NUMBERS, Name, SettingsForm
from desktop.platform.theme import Theme
from desktop.store.records import ChatSettings
from desktop.widgets.card_parts import label
from desktop.widgets.long_text_edit import LongTextEdit
from desktop.widgets.side_sheet import Segments, SideSheet
from desktop.widgets.switch import Switch

THINKING = (None, True, False)
SETTLE_MS = 300
"""Delay between the last change in the sheet and the signal `changed`."""


class ChatSettingsSheet(SideSheet):
    """Sheet in which the user changes the settings of a chat, which are in `form`. GUI thread only.

    `changed` is emitted when the user pauses. If the sheet is hidden or `flush` is called, a pending `changed` is
    emitted at once."""

    changed = Signal(object)
    """Emitted with the new `ChatSettings`."""
    preset_saved = Signal(str)
    preset_renamed = Signal(str, str)
    preset_deleted = Signal(str)

    def __init__(self, theme: Theme, page: QWidget) -> None:
        super().__init__(theme, page)
        self._presets = Presets({})
        self.form = SettingsForm(self._form_changed)
        self._settling = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._settling.timeout.connect(self._emit_changed)
        self.presets = PresetBar(theme, self)
        self.presets.chosen.connect(self._choose_preset)
        self.presets.saved.connect(self.preset_saved)
        self.presets.renamed.connect(self.preset_renamed)
        self.presets.deleted.connect(self.preset_deleted)
        self.system = LongTextEdit(self)
        self.system.setObjectName("settingText")
        self.system.setTabChangesFocus(True)
        self.system.setFixedHeight(108)
        self.system.setPlaceholderText(
            self.tr("Role of the model and style of its answers. The model reads this first.")
        )
        self.system.setAccessibleName(self.tr("Instructions"))
        self.system.textChanged.connect(lambda: self.form.change(system=self.system.toPlainText()))
        choices = (self.tr("Model default"), self.tr("On"), self.tr("Off"))
        self.thinking = Segments(choices, self.tr("Thinking: {choice}"), self)
        self.thinking.group.idClicked.connect(lambda number: self.form.change(thinking=THINKING[number]))
        self._thinking_part = QWidget(self)
        self.rows = {number.name: NumberRow(theme, number, self) for number in NUMBERS}
        for row in self.rows.values():
            row.entered.connect(self._enter)
        self.leaves_out = Switch(theme, self.tr("Leave the oldest turns out when a chat is too long"), self)
        self.leaves_out.toggled.connect(lambda on: self.form.change(leaves_out=on))
        self.summary = label("settingHelp", "", self, wraps=True)
        self.summary.setTextFormat(Qt.TextFormat.PlainText)
        self.summary.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.forget_summary = self._link(self.tr("Delete the summary"))
        self.forget_summary.clicked.connect(self._forget_summary)
        self.reset_all = self._link(self.tr("Reset all to defaults"))
        self.reset_all.clicked.connect(self._reset_all)
        self._lay_out()
        self._show_all()

    def show_settings(self, settings: ChatSettings) -> None:
        """Show other settings. Call `flush` first, or a pending change is lost."""
        if settings != self.form.settings or self.form.invalid:
            self.form.show(settings)
            self._show_all()

    def show_thinking(self, shown: bool) -> None:
        """Show or hide the choice of thinking, which some models do not have. The setting itself does not change."""
        self._thinking_part.setVisible(shown)

    def show_presets(self, presets: Presets) -> None:
        self._presets = presets
        self._show_preset()

    def open_sheet(self) -> None:
        super().open_sheet()
        self.system.setFocus()

    def flush(self) -> None:
        """Emit a pending `changed` at once."""
        if self._settling.isActive():
            self._settling.stop()
            self._emit_changed()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.flush()

    def _lay_out(self) -> None:
        column = self._lay_out_sheet(
            label("sheetTitle", self.tr("This chat"), self), self.tr("Close the settings of this chat")
        )
        self.close_button.setToolTip(self.tr("Close (Esc)"))
        column.setSpacing(0)
        column.addSpacing(4)
        self._add(column, self._heading(self.tr("Preset")), self.presets)
        self._add(column, self._heading(self.tr("Instructions")), self.system)
        column.addWidget(self._thinking_part)
        self._add(self._thinking_column(), self._heading(self.tr("Thinking")), self.thinking)
        column.addWidget(self._heading(self.tr("Answers")))
        column.addSpacing(8)
        for row in self.rows.values():
            column.addWidget(row)
            column.addSpacing(14)
        column.addSpacing(8)
        column.addWidget(self._heading(self.tr("When the chat is too long")))
        column.addSpacing(8)
        column.addLayout(self._leaves_out_row())
        column.addSpacing(8)
        column.addWidget(self.summary)
        column.addWidget(self.forget_summary, alignment=Qt.AlignmentFlag.AlignLeft)
        column.addSpacing(12)
        column.addWidget(self.reset_all, alignment=Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)

    def _add(self, column: QVBoxLayout, heading: QLabel, widget: QWidget) -> None:
        column.addWidget(heading)
        column.addSpacing(8)
        column.addWidget(widget)
        column.addSpacing(20)

    def _thinking_column(self) -> QVBoxLayout:
        column = QVBoxLayout(self._thinking_part)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        return column

    def _heading(self, text: str) -> QLabel:
        return label("sheetHeading", text.upper(), self)

    def _leaves_out_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        text = QLabel(self.tr("Leave the oldest turns out without asking"), self)
        text.setWordWrap(True)
        row.addWidget(text, 1)
        row.addWidget(self.leaves_out)
        return row

    def _link(self, text: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName("sheetLink")
        return button

    def _enter(self, name: Name, text: str) -> None:
        self.rows[name].show_invalid(not self.form.enter(name, text))

    def _choose_preset(self, name: str) -> None:
        self.form.change(**_as_dict(self._presets.apply(name, self.form.settings)))
        self._show_all()

    def _forget_summary(self) -> None:
        self.form.change(summary="", summarised_to="")
        self._show_all()

    def _reset_all(self) -> None:
        """Reset all numbers, thinking and the preset. The instructions, the summary and `leaves_out` keep their
        values."""
        self.form.change(
            preset="",
            **{field.name: field.default for field in fields(ChatSettings) if field.name not in CHAT_ONLY_FIELDS},
        )
        self.form.invalid.clear()
        self._show_all()

    def _form_changed(self, settings: ChatSettings) -> None:
        self._settling.start()
        self._show_preset()

    def _emit_changed(self) -> None:
        self.changed.emit(self.form.settings)

    def _show_all(self) -> None:
        settings = self.form.settings
        if settings.system != self.system.toPlainText():
            self.system.setPlainText(settings.system)
        for name, row in self.rows.items():
            row.show_text(self.form.text_of(name).replace(".", QLocale().decimalPoint()))
        self.thinking.group.button(THINKING.index(settings.thinking)).setChecked(True)
        self.leaves_out.setChecked(settings.leaves_out)
        self.summary.setText(self.tr("Summary of the oldest turns: {summary}").format(summary=settings.summary))
        self.summary.setVisible(bool(settings.summary))
        self.forget_summary.setVisible(bool(settings.summary))
        self._show_preset()

    def _show_preset(self) -> None:
        name, changed = self._presets.name_of(self.form.settings)
        self.presets.show_presets(self._presets, name, changed=changed)


def _as_dict(settings: ChatSettings) -> dict[str, object]:
    return {field.name: getattr(settings, field.name) for field in fields(settings)}

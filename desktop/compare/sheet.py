"""Sheet in which the user chooses the models that answer a question side by side."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from desktop.compare.model_choice import ChosenModels, ModelChoice
from desktop.platform.theme import Theme
from desktop.widgets.card_parts import label, set_enabled
from desktop.widgets.side_sheet import SideSheet
from desktop.widgets.switch import Switch

QUESTION_LENGTH = 240
"""Characters of the question that the sheet shows."""


class CompareSheet(SideSheet):
    """The sheet. GUI thread only."""

    chosen = Signal(str, bool)
    """Emitted with the key of a model, and whether it is chosen now."""
    start_requested = Signal()

    def __init__(self, theme: Theme, page: QWidget) -> None:
        super().__init__(theme, page)
        self.rows: dict[str, ChoiceRow] = {}
        self.question = label("settingHelp", "", self, wraps=True)
        self.hint = label("settingHelp", "", self, wraps=True)
        self.start = QPushButton(self.tr("Compare"), self)
        self.start.setObjectName("primary")
        self.start.clicked.connect(self.start_requested)
        self._list = QVBoxLayout()
        self._lay_out()

    def open_sheet(self) -> None:
        super().open_sheet()
        first = next(iter(self.rows.values()), None)
        (first.switch if first is not None else self.close_button).setFocus()

    def show_models(self, models: ChosenModels) -> None:
        """Show one row per model. Rows of models that are still there stay, so that they keep the focus."""
        keys = [each.key for each in models.choices]
        for key in [key for key in self.rows if key not in keys]:
            row = self.rows.pop(key)
            self._list.removeWidget(row)
            row.deleteLater()
        for place, choice in enumerate(models.choices):
            row = self.rows.get(choice.key) or self._make_row(choice)
            row.show_choice(choice)
            self._list.insertWidget(place, row)
            row.switch.blockSignals(True)
            row.switch.setChecked(models.is_chosen(choice.key))
            row.switch.blockSignals(False)
            set_enabled(row.switch, models.is_chosen(choice.key) or not models.is_full)

    def show_question(self, question: str, hint: str, *, can_start: bool) -> None:
        text = " ".join(question.split())
        self.question.setText(text if len(text) <= QUESTION_LENGTH else f"{text[:QUESTION_LENGTH]}…")
        self.hint.setText(hint)
        self.start.setEnabled(can_start)

    def _make_row(self, choice: ModelChoice) -> ChoiceRow:
        row = ChoiceRow(self._theme, choice, self)
        row.switch.toggled.connect(lambda on: self.chosen.emit(choice.key, on))
        self.rows[choice.key] = row
        return row

    def _lay_out(self) -> None:
        column = self._lay_out_sheet(
            label("sheetTitle", self.tr("Compare models"), self), self.tr("Close the comparison of models")
        )
        self.close_button.setToolTip(self.tr("Close (Esc)"))
        self._list.setSpacing(10)
        column.setSpacing(8)
        column.addWidget(label("sheetHeading", self.tr("Question").upper(), self))
        column.addWidget(self.question)
        column.addSpacing(8)
        column.addWidget(label("sheetHeading", self.tr("Models").upper(), self))
        column.addLayout(self._list)
        column.addSpacing(8)
        column.addWidget(self.hint)
        column.addWidget(self.start, alignment=Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)


class ChoiceRow(QWidget):
    """One model with its switch."""

    def __init__(self, theme: Theme, choice: ModelChoice, parent: QWidget) -> None:
        super().__init__(parent)
        self.name = label("settingName", choice.name, self, wraps=True)
        self.detail = label("settingHelp", choice.detail, self, wraps=True)
        self.switch = Switch(theme, choice.name, self)
        texts = QVBoxLayout()
        texts.setSpacing(1)
        texts.addWidget(self.name)
        texts.addWidget(self.detail)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addLayout(texts, 1)
        row.addWidget(self.switch, alignment=Qt.AlignmentFlag.AlignTop)

    def show_choice(self, choice: ModelChoice) -> None:
        self.name.setText(choice.name)
        self.detail.setText(choice.detail)
        self.switch.setAccessibleDescription(choice.detail)

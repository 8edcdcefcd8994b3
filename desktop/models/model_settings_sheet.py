"""One model: what it is, what it costs, how it is to be loaded. A sheet at the right of the page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from desktop.models import strings
from desktop.models.load_options import LoadOptions
from desktop.models.model_row import ModelRow
from desktop.platform.number_format import whole
from desktop.platform.theme import Theme
from desktop.widgets.card_parts import label, mark
from desktop.widgets.side_sheet import Segments, SideSheet
from engine.backend import KvType
from engine.library.memory_estimate import MIN_CTX

MOST_LAYERS = 1000
KV_TYPES: tuple[KvType, ...] = get_args(KvType)


class ModelSettingsSheet(SideSheet):
    """Shows what it is given, tells what is chosen. GUI thread only."""

    choice_changed = Signal(object, object)
    """The file's path and the `LoadOptions`."""
    load_requested = Signal(object)
    unload_requested = Signal()
    folder_requested = Signal(object)

    def __init__(self, theme: Theme, page: QWidget) -> None:
        super().__init__(theme, page)
        self._row = ModelRow("", "disk", "")
        self._choice = LoadOptions()
        self._title = label("sheetTitle", "", self, wraps=True)
        self._about = label("settingHelp", "", self, wraps=True)
        self._place = label("settingHelp", "", self, wraps=True)
        self._cost = label("sheetText", "", self, wraps=True)
        self._parts = label("settingHelp", "", self, wraps=True)
        self.context = self._field(self.tr("Tokens of context"))
        self.context.editingFinished.connect(self._enter_context)
        self._context_help = self._help()
        self.kv_types = Segments(map(strings.kv_type, KV_TYPES), self.tr("Memory of a chat: {choice}"), self)
        self.kv_types.group.idClicked.connect(self._choose_kv_type)
        for number, kind in enumerate(KV_TYPES):
            self.kv_types.group.button(number).setToolTip(kind)
        self.layers = self._field(self.tr("Layers on the graphics card"))
        self.layers.editingFinished.connect(self._enter_layers)
        self._layers_help = self._help()
        self.load = QPushButton(self)
        self.load.setObjectName("primary")
        self.load.clicked.connect(self._load)
        self.unload = self._plain(self.tr("Unload"))
        self.unload.clicked.connect(self.unload_requested)
        self.folder = self._plain(self.tr("Show in its folder"))
        self.folder.clicked.connect(lambda: self.folder_requested.emit(self._row.path.parent))
        self._lay_out()

    @property
    def path(self) -> Path | None:
        """The model that is shown; None where the sheet is closed."""
        return self._row.path if not self.isHidden() else None

    def show_model(self, row: ModelRow, choice: LoadOptions, loaded: LoadOptions | None) -> None:
        """`loaded`: how it was loaded, where it is the one in use. What is being typed for the same model stays."""
        if row.path != self._row.path:
            self._forget_typing()
        self._row, self._choice = row, choice
        self._title.setText(row.name)
        metadata = [strings.about(row), strings.params(row.n_params) if row.n_params else "", row.licence]
        self._about.setText(" · ".join(fact for fact in metadata if fact))
        self._place.setText(strings.folder(row.path))
        self._cost.setText(strings.why(row))
        mark(self._cost, "wrong", row.fit is not None and row.fit.verdict == "too_big")
        self._parts.setText(strings.parts(row.fit) if row.fit is not None else "")
        most = max(row.n_ctx_train, MIN_CTX)
        help_text = self.tr("{least} to {most}. Empty: as many as are good here.")
        self._context_help.setText(help_text.format(least=whole(MIN_CTX), most=whole(most)))
        self._layers_help.setText(self.tr("Empty: all of them, where there is a card."))
        self._show_choice()
        self.kv_types.group.button(KV_TYPES.index(choice.kv_type)).setChecked(True)
        in_use = row.use == "in_use"
        self.load.setText(self.tr("Load again with these") if in_use else self.tr("Load"))
        self._show_faults()
        self.load.setVisible(row.can_load or (in_use and loaded != choice))
        self.unload.setVisible(in_use)

    def open_sheet(self) -> None:
        self._forget_typing()
        self._show_choice()
        super().open_sheet()
        self.context.setFocus()

    def _enter_context(self) -> None:
        most = max(self._row.n_ctx_train, MIN_CTX)
        n_ctx = _number(self.context.text(), MIN_CTX, most)
        self._end_typing(self.context, is_wrong=n_ctx is None)
        if n_ctx is not None:
            self._choose(replace(self._choice, n_ctx=n_ctx))

    def _enter_layers(self) -> None:
        text = self.layers.text().strip()
        n_layers = _number(text, 0, MOST_LAYERS)
        self._end_typing(self.layers, is_wrong=n_layers is None)
        if n_layers is not None:
            self._choose(replace(self._choice, n_gpu_layers=n_layers if text else None))

    def _choose_kv_type(self, number: int) -> None:
        self._choose(replace(self._choice, kv_type=KV_TYPES[number]))

    def _choose(self, choice: LoadOptions) -> None:
        if choice != self._choice:
            self._choice = choice
            self.choice_changed.emit(self._row.path, choice)

    def _load(self) -> None:
        self._enter_context()  # a button need not take the focus, and so end the typing
        self._enter_layers()
        if not self._is_wrong:
            self.load_requested.emit(self._row.path)

    @property
    def _is_wrong(self) -> bool:
        return any(field.property("wrong") for field in (self.context, self.layers))

    def _show_choice(self) -> None:
        choice = self._choice
        self._show_text(self.context, str(choice.n_ctx) if choice.n_ctx else "")
        self._show_text(self.layers, "" if choice.n_gpu_layers is None else str(choice.n_gpu_layers))

    def _show_text(self, field: QLineEdit, text: str) -> None:
        if not field.isModified() and text != field.text():
            field.setText(text)

    def _end_typing(self, field: QLineEdit, *, is_wrong: bool) -> None:
        """What is no good stays to be corrected, with what it must be."""
        mark(field, "wrong", is_wrong)
        field.setModified(is_wrong)
        self._show_faults()

    def _forget_typing(self) -> None:
        for field in (self.context, self.layers):
            self._end_typing(field, is_wrong=False)

    def _show_faults(self) -> None:
        for field, about in ((self.context, self._context_help), (self.layers, self._layers_help)):
            mark(about, "wrong", bool(field.property("wrong")))
        self.load.setEnabled(not self._is_wrong)

    def _lay_out(self) -> None:
        column = self._lay_out_sheet(self._title, self.tr("Close the settings of this model"))
        column.setSpacing(4)
        for widget in (self._about, self._place):
            column.addWidget(widget)
        self._part(column, self.tr("Memory"), self._cost, self._parts)
        self._part(column, self.tr("Context"), self._labelled(self.context), self._context_help)
        about = self.tr("How exactly it remembers what it read. Less takes less memory, and costs a little quality.")
        self._part(column, self.tr("Memory of a chat"), self.kv_types, self._help(about))
        self._part(column, self.tr("Graphics card"), self._labelled(self.layers), self._layers_help)
        column.addSpacing(20)
        for button in (self.load, self.unload, self.folder):
            column.addWidget(button)
            column.addSpacing(4)
        column.addStretch(1)

    def _part(self, column: QVBoxLayout, title: str, *widgets: QWidget) -> None:
        column.addSpacing(16)
        column.addWidget(label("sheetHeading", title.upper(), self))
        column.addSpacing(2)
        for widget in widgets:
            column.addWidget(widget)

    def _labelled(self, field: QLineEdit) -> QWidget:
        line = QWidget(self)
        name = QLabel(field.accessibleName(), line)
        name.setBuddy(field)
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(name, 1)
        row.addWidget(field)
        return line

    def _field(self, name: str) -> QLineEdit:
        field = QLineEdit(self)
        field.setObjectName("settingValue")
        field.setFixedWidth(108)
        field.setAlignment(Qt.AlignmentFlag.AlignRight)
        field.setPlaceholderText(self.tr("automatic"))
        field.setAccessibleName(name)
        return field

    def _help(self, text: str = "") -> QLabel:
        return label("settingHelp", text, self, wraps=True)

    def _plain(self, text: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName("plain")
        return button


def _number(text: str, least: int, most: int) -> int | None:
    """0 for an empty text, None for what is no good. Thousands may be set apart as people do."""
    plain = "".join(letter for letter in text if letter not in " ,.’'\u00a0\u202f")
    if not plain:
        return 0
    return int(plain) if plain.isdecimal() and least <= int(plain) <= most else None

"""Sheet on the right of the page of models: details and load options of one model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from desktop.models import strings
from desktop.models.load_options import LoadOptions
from desktop.models.model_list import ModelRow
from desktop.platform.number_format import whole
from desktop.platform.theme import Theme
from desktop.widgets.card_parts import label, mark
from desktop.widgets.side_sheet import Segments, SideSheet
from engine.backend import KvType
from engine.library.memory_estimate import MIN_CTX

MAX_LAYERS = 1000
KV_TYPES: tuple[KvType, ...] = get_args(KvType)


class ModelSettingsSheet(SideSheet):
    """`show_model` fills it, its signals report what the user changes. GUI thread only."""

    options_changed = Signal(object, object)
    """Carries the path of the file and the `LoadOptions`."""
    load_requested = Signal(object)
    """Carries the path of the file."""
    unload_requested = Signal()
    folder_requested = Signal(object)
    """Carries the folder to open in the file manager."""

    def __init__(self, theme: Theme, page: QWidget) -> None:
        super().__init__(theme, page)
        self._row = ModelRow("", "disk", "")
        self._options = LoadOptions()
        self._title = label("sheetTitle", "", self, wraps=True)
        self._about = label("settingHelp", "", self, wraps=True)
        self._place = label("settingHelp", "", self, wraps=True)
        self._cost = label("sheetText", "", self, wraps=True)
        self._parts = label("settingHelp", "", self, wraps=True)
        self.context = self._field(self.tr("Tokens of context"))
        self.context.editingFinished.connect(self._enter_context)
        self._context_help = self._help()
        self.kv_types = Segments(map(strings.kv_type, KV_TYPES), self.tr("KV cache: {choice}"), self)
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
        """Path of the shown model; None if the sheet is closed."""
        return self._row.path if not self.isHidden() else None

    def show_model(self, row: ModelRow, options: LoadOptions, loaded: LoadOptions | None) -> None:
        """`loaded` are the options of the model in memory, if `row` is that model. Text that the user is typing for the
        same model stays."""
        if row.path != self._row.path:
            self._discard_typing()
        self._row, self._options = row, options
        self._title.setText(row.name)
        details = [strings.details(row), strings.params(row.n_params) if row.n_params else "", row.licence]
        self._about.setText(" · ".join(filter(None, details)))
        self._place.setText(strings.folder_name(row.path))
        self._cost.setText(strings.explanation(row))
        mark(self._cost, "wrong", row.fit is not None and row.fit.verdict == "too_big")
        self._parts.setText(strings.memory_breakdown(row.fit) if row.fit is not None else "")
        max_ctx = max(row.n_ctx_train, MIN_CTX)
        help_text = self.tr("{least} to {most}. Empty: automatic.")
        self._context_help.setText(help_text.format(least=whole(MIN_CTX), most=whole(max_ctx)))
        self._layers_help.setText(self.tr("Empty: all layers, if there is a graphics card."))
        self._show_options()
        self.kv_types.group.button(KV_TYPES.index(options.kv_type)).setChecked(True)
        in_use = row.use == "in_use"
        self.load.setText(self.tr("Reload with these settings") if in_use else self.tr("Load"))
        self._show_faults()
        self.load.setVisible(row.can_load or (in_use and loaded != options))
        self.unload.setVisible(in_use)

    def open_sheet(self) -> None:
        self._discard_typing()
        self._show_options()
        super().open_sheet()
        self.context.setFocus()

    def _enter_context(self) -> None:
        max_ctx = max(self._row.n_ctx_train, MIN_CTX)
        n_ctx = _parse_number(self.context.text(), MIN_CTX, max_ctx)
        self._end_typing(self.context, is_wrong=n_ctx is None)
        if n_ctx is not None:
            self._set_options(replace(self._options, n_ctx=n_ctx))

    def _enter_layers(self) -> None:
        text = self.layers.text().strip()
        n_layers = _parse_number(text, 0, MAX_LAYERS)
        self._end_typing(self.layers, is_wrong=n_layers is None)
        if n_layers is not None:
            self._set_options(replace(self._options, n_gpu_layers=n_layers if text else None))

    def _choose_kv_type(self, number: int) -> None:
        self._set_options(replace(self._options, kv_type=KV_TYPES[number]))

    def _set_options(self, options: LoadOptions) -> None:
        if options != self._options:
            self._options = options
            self.options_changed.emit(self._row.path, options)

    def _load(self) -> None:
        self._enter_context()  # clicking the button does not always move the focus and end the typing
        self._enter_layers()
        if not self._is_wrong:
            self.load_requested.emit(self._row.path)

    @property
    def _is_wrong(self) -> bool:
        return any(field.property("wrong") for field in (self.context, self.layers))

    def _show_options(self) -> None:
        options = self._options
        self._show_text(self.context, str(options.n_ctx) if options.n_ctx else "")
        self._show_text(self.layers, "" if options.n_gpu_layers is None else str(options.n_gpu_layers))

    def _show_text(self, field: QLineEdit, text: str) -> None:
        if not field.isModified() and text != field.text():
            field.setText(text)

    def _end_typing(self, field: QLineEdit, *, is_wrong: bool) -> None:
        """Invalid text stays in the field so that it can be corrected."""
        mark(field, "wrong", is_wrong)
        field.setModified(is_wrong)
        self._show_faults()

    def _discard_typing(self) -> None:
        for field in (self.context, self.layers):
            self._end_typing(field, is_wrong=False)

    def _show_faults(self) -> None:
        for field, help_text in ((self.context, self._context_help), (self.layers, self._layers_help)):
            mark(help_text, "wrong", bool(field.property("wrong")))
        self.load.setEnabled(not self._is_wrong)

    def _lay_out(self) -> None:
        column = self._lay_out_sheet(self._title, self.tr("Close the settings of this model"))
        column.setSpacing(4)
        for widget in (self._about, self._place):
            column.addWidget(widget)
        self._add_part(column, self.tr("Memory"), self._cost, self._parts)
        self._add_part(column, self.tr("Context"), self._labelled(self.context), self._context_help)
        kv_help = self.tr(
            "Precision of the cached prompt. Lower precision takes less memory and reduces quality slightly."
        )
        self._add_part(column, self.tr("KV cache"), self.kv_types, self._help(kv_help))
        self._add_part(column, self.tr("Graphics card"), self._labelled(self.layers), self._layers_help)
        column.addSpacing(20)
        for button in (self.load, self.unload, self.folder):
            column.addWidget(button)
            column.addSpacing(4)
        column.addStretch(1)

    def _add_part(self, column: QVBoxLayout, title: str, *widgets: QWidget) -> None:
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


def _parse_number(text: str, least: int, most: int) -> int | None:
    """0 for an empty text, None for an invalid number. Thousands separators are ignored."""
    plain = "".join(letter for letter in text if letter not in " ,.’'\u00a0\u202f")
    if not plain:
        return 0
    return int(plain) if plain.isdecimal() and least <= int(plain) <= most else None

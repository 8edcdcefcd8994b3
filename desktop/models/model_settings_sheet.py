"""Sheet at the right of the models page: details and load options of one model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from desktop.models import strings
from desktop.models.adapter_list import AdapterList
from desktop.models.card_options import CardOptions
from desktop.models.draft_model_field import DraftModelField
from desktop.models.load_options import LoadOptions
from desktop.models.model_list import ModelRow
from desktop.models.option_field import OptionField
from desktop.platform.number_format import whole
from desktop.platform.theme import Theme
from desktop.widgets.card_parts import label, set_style_flag
from desktop.widgets.side_sheet import Segments, SideSheet
from engine.backend import KvType
from engine.devices.card import Card
from engine.devices.offload import NO_OFFLOAD, Offload
from engine.library.memory_estimate import MIN_CTX
from engine.library.model_scan import ModelFile

KV_TYPES: tuple[KvType, ...] = get_args(KvType)


class ModelSettingsSheet(SideSheet):
    """Shows the model that `show_model` sets. Its signals report the user's changes and requests. GUI thread only."""

    options_changed = Signal(object, object)
    """The user changed an option. Carries the path of the model file and the new `LoadOptions`."""
    adapters_requested = Signal(object, object)
    """The user requested to add adapters. Carries the path of the model file and a list with those of the adapters."""
    load_requested = Signal(object)
    """The user requested to load the model. Carries the path of its file."""
    unload_requested = Signal()
    folder_requested = Signal(object)
    """The user requested to open a folder in the file manager. Carries its path."""

    def __init__(self, theme: Theme, page: QWidget) -> None:
        super().__init__(theme, page)
        self._row = ModelRow("", "disk", "")
        self._options = LoadOptions()
        self._title = label("sheetTitle", "", self, wraps=True)
        self._about = label("settingHelp", "", self, wraps=True)
        self._folder_text = label("settingHelp", "", self, wraps=True)
        self._cost = label("sheetText", "", self, wraps=True)
        self._parts = label("settingHelp", "", self, wraps=True)
        self.context = OptionField(self.tr("Tokens of context"), self)
        self.context.entered.connect(lambda n_ctx: self._change(n_ctx=n_ctx or 0))
        self.kv_types = Segments(map(strings.kv_type, KV_TYPES), self.tr("KV cache: {choice}"), self)
        self.kv_types.group.idClicked.connect(lambda number: self._change(kv_type=KV_TYPES[number]))
        for number, kind in enumerate(KV_TYPES):
            self.kv_types.group.button(number).setToolTip(kind)
        self.drafts = Segments((self.tr("On"), self.tr("Off")), self.tr("Draft tokens: {choice}"), self)
        self.drafts.group.idClicked.connect(lambda number: self._change(drafts=number == 0))
        self.mtp_note = label("settingHelp", "", self, wraps=True)
        self.draft_model = DraftModelField(self)
        self.draft_model.chosen.connect(lambda path: self._change(draft_model=path))
        self.card_options = CardOptions(self)
        self.card_options.changed.connect(lambda changes: self._change(**changes))
        self.adapters = AdapterList(theme, self)
        self.adapters.changed.connect(lambda adapters: self._change(adapters=adapters))
        self.adapters.add_requested.connect(lambda paths: self.adapters_requested.emit(self._row.path, paths))
        self.adapters.validity_changed.connect(self._enable_load)
        for field in self._fields:
            field.validity_changed.connect(self._enable_load)
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
        """Path of the file of the shown model; None if the sheet is closed."""
        return self._row.path if not self.isHidden() else None

    def show_model(
        self,
        row: ModelRow,
        options: LoadOptions,
        loaded: LoadOptions | None,
        draft_models: Sequence[ModelFile] = (),
        cards: Sequence[Card] = (),
        plan: Offload = NO_OFFLOAD,
        mtp_refusal: str | None = None,
    ) -> None:
        """Show the model of `row`. If it is the model in memory, `loaded` are the options it was loaded with.
        `draft_models` can be chosen as its draft model, `cards` to compute it. With `options`, the cards would compute
        what `plan` says. `mtp_refusal`: why its MTP layers are not used; "" if they are, None if it has none.

        If the sheet already shows this model, text that the user is typing is not replaced."""
        if row.path != self._row.path:
            self._discard_typing()
        self._row, self._options = row, options
        self._title.setText(row.name)
        n_params = strings.params(row.n_params) if row.n_params else ""
        details = [strings.details(row), n_params, strings.licence(row.licence)]
        self._about.setText(" · ".join(filter(None, details)))
        self._folder_text.setText(strings.folder_name(row.path))
        self._cost.setText(strings.explanation(row))
        set_style_flag(self._cost, "wrong", row.fit is not None and row.fit.verdict == "too_big")
        self._parts.setText(strings.memory_breakdown(row.fit) if row.fit is not None else "")
        max_ctx = max(row.n_ctx_train, MIN_CTX)
        help_text = self.tr("{least} to {most}. Empty: automatic.")
        self.context.set_range(MIN_CTX, max_ctx, help_text.format(least=whole(MIN_CTX), most=whole(max_ctx)))
        self.card_options.show_options(options, cards, plan, has_experts=row.has_experts)
        self._show_numbers()
        self.kv_types.group.button(KV_TYPES.index(options.kv_type)).setChecked(True)
        self.drafts.group.button(0 if options.drafts else 1).setChecked(True)
        self.mtp_note.setText(strings.mtp_note(mtp_refusal))
        self.mtp_note.setVisible(mtp_refusal is not None)
        self.draft_model.show_models(draft_models, options.draft_model)
        self.adapters.show_adapters(options.adapters)
        in_use = row.use == "in_use"
        self.load.setText(self.tr("Reload with these settings") if in_use else self.tr("Load"))
        self._enable_load()
        self.load.setVisible(row.can_load or (in_use and loaded != options))
        self.unload.setVisible(in_use)

    def open_sheet(self) -> None:
        self._discard_typing()
        self._show_numbers()
        self.adapters.show_adapters(self._options.adapters)
        super().open_sheet()
        self.context.edit.setFocus()

    def _change(self, **changes: object) -> None:
        options = replace(self._options, **changes)  # type: ignore[arg-type]
        if options != self._options:
            self._options = options
            self.options_changed.emit(self._row.path, options)

    def _load(self) -> None:
        for field in self._fields:
            field.commit()  # a click on the load button may leave the typed text unvalidated
        self.adapters.commit()
        if not self._is_wrong:
            self.load_requested.emit(self._row.path)

    @property
    def _is_wrong(self) -> bool:
        return self.context.is_wrong or self.card_options.is_wrong or self.adapters.is_wrong

    @property
    def _fields(self) -> tuple[OptionField, ...]:
        return (self.context, *self.card_options.fields)

    def _show_numbers(self) -> None:
        self.context.show_value(self._options.n_ctx or None)
        self.card_options.show_values(self._options)

    def _discard_typing(self) -> None:
        for field in self._fields:
            field.discard_typing()
        self.adapters.discard_typing()

    def _enable_load(self) -> None:
        self.load.setEnabled(not self._is_wrong)

    def _lay_out(self) -> None:
        column = self._lay_out_sheet(self._title, self.tr("Close the settings of this model"))
        column.setSpacing(4)
        for widget in (self._about, self._folder_text):
            column.addWidget(widget)
        self._add_part(column, self.tr("Memory"), self._cost, self._parts)
        self._add_part(column, self.tr("Context"), self.context)
        kv_help = self.tr(
            "Precision of the cached prompt. Lower precision takes less memory and reduces quality slightly."
        )
        self._add_part(column, self.tr("KV cache"), self.kv_types, label("settingHelp", kv_help, self, wraps=True))
        drafts_help = self.tr("Text that repeats itself or the prompt is generated several tokens at a time.")
        self._add_part(
            column,
            self.tr("Draft tokens"),
            self.drafts,
            label("settingHelp", drafts_help, self, wraps=True),
            self.mtp_note,
        )
        draft_model_help = self.tr(
            "A small model with the same vocabulary drafts tokens where a text does not repeat itself; this model "
            "verifies them in one step. It needs memory of its own."
        )
        self._add_part(
            column, self.tr("Draft model"), self.draft_model, label("settingHelp", draft_model_help, self, wraps=True)
        )
        column.addWidget(self.card_options)
        adapters_help = self.tr(
            "LoRA adapters change the style or the knowledge of a model. With the scale 0, one is off."
        )
        self._add_part(
            column, self.tr("Adapters"), self.adapters, label("settingHelp", adapters_help, self, wraps=True)
        )
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

    def _plain(self, text: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName("plain")
        return button

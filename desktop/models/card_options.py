"""The part of a model's settings sheet that decides what graphics cards compute."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.models.choice_field import ChoiceField
from desktop.models.load_options import PROCESSOR, LoadOptions
from desktop.models.option_field import OptionField
from desktop.platform.number_format import plain, whole
from desktop.widgets.card_parts import label
from engine.devices.card import Card
from engine.devices.offload import Offload

MAX_LAYERS = 1000
MAX_SHARE = 10_000


class CardOptions(QWidget):
    """Hidden if there is no card. GUI thread only."""

    changed = Signal(object)
    """The user changed an option. Carries a dict with the name of the field of `LoadOptions` and its new value."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.device = ChoiceField(self)
        self.device.chosen.connect(lambda device: self.changed.emit({"device": device}))
        self.layers = OptionField(self.tr("Layers on the graphics card"), self)
        self.layers.entered.connect(lambda n_layers: self.changed.emit({"n_gpu_layers": n_layers}))
        self.experts = OptionField(self.tr("Layers with experts on the processor"), self)
        self.experts.entered.connect(lambda n_layers: self.changed.emit({"n_cpu_experts": n_layers}))
        self.split = SplitField(self.tr("Split between the cards"), self)
        self.split.entered.connect(lambda shares: self.changed.emit({"tensor_split": shares or ()}))
        self.fields = (self.layers, self.experts, self.split)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 16, 0, 0)
        column.setSpacing(6)
        column.addWidget(label("sheetHeading", self.tr("Graphics card").upper(), self))
        for widget in (self.device, *self.fields):
            column.addWidget(widget)
        self.hide()

    @property
    def is_wrong(self) -> bool:
        return any(field.is_wrong for field in self.fields if field.isVisibleTo(self))

    def show_options(self, options: LoadOptions, cards: Sequence[Card], plan: Offload, *, has_experts: bool) -> None:
        """Show the options of a model. An empty field shows the automatic value, which is that of `plan`."""
        self.setVisible(bool(cards))
        self._show_devices(options, cards)
        n_all = plan.n_all or MAX_LAYERS
        self.layers.set_range(0, n_all, self.tr("0 to {most}. Empty: as many as fit.").format(most=whole(n_all)))
        experts_help = self.tr("0 to {most}. Empty: as few as needed.")
        self.experts.set_range(0, max(1, n_all - 1), experts_help.format(most=whole(max(1, n_all - 1))))
        self.split.set_count(len(cards))
        self.layers.show_automatic(whole(plan.n_layers) if plan.n_all else "")
        self.experts.show_automatic(whole(plan.n_cpu_experts) if plan.n_layers else "")
        self.split.show_automatic(self.split.text_of(plan.split) if len(plan.split) == len(cards) else "")
        uses_card = options.device != PROCESSOR
        for field in self.fields:
            field.setEnabled(uses_card)
        self.experts.setVisible(has_experts)
        self.split.setVisible(len(cards) > 1 and options.device in ("", PROCESSOR))
        self.show_values(options)

    def show_values(self, options: LoadOptions) -> None:
        """Show the values, except in a field in which the user is typing."""
        self.layers.show_value(options.n_gpu_layers)
        self.experts.show_value(options.n_cpu_experts)
        self.split.show_value(options.tensor_split or None)

    def _show_devices(self, options: LoadOptions, cards: Sequence[Card]) -> None:
        names = [card.device.name for card in cards]
        choices = {"": self.tr("Automatic")}
        for card in cards:
            is_unique = names.count(card.device.name) == 1
            choices[card.device.id] = card.device.name if is_unique else f"{card.device.name} ({card.device.id})"
        choices[PROCESSOR] = self.tr("Processor only")
        if options.device not in choices:
            choices[options.device] = self.tr("{card}, which is missing").format(card=options.device)
        self.device.show_choices(choices, options.device, self.tr("Computed on: {name}"))


class SplitField(OptionField):
    """A field for the shares of several cards, one number for each."""

    def set_count(self, n_cards: int) -> None:
        self._n_cards = n_cards
        text = self.tr("{n} numbers, one for each card, such as {example}. Empty: by their free memory.")
        self.help.setText(text.format(n=n_cards, example=" ".join(["3", *["1"] * (n_cards - 1)])))

    def parse(self, text: str) -> tuple[float, ...] | None:
        words = [word for word in re.split(r"[\s:;/,]+", text[:200]) if word]
        shares = tuple(float(word) for word in words)
        if words and not (
            len(shares) == self._n_cards
            and all(math.isfinite(each) and 0 <= each <= MAX_SHARE for each in shares)
            and sum(shares) > 0
        ):
            raise ValueError(text)
        return shares or None

    def text_of(self, value: object) -> str:
        return " ".join(plain(each) for each in value) if isinstance(value, tuple) else ""

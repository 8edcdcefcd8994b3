"""The button that shows and changes the draft model of a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from desktop.models.choice_field import ChoiceField
from engine.files.display_name import display_name
from engine.library.model_scan import ModelFile


class DraftModelField(ChoiceField):
    """Its keys are the paths of the models that can be chosen, and "" for none. GUI thread only."""

    def show_models(self, models: Sequence[ModelFile], chosen: str) -> None:
        """Lists `models`, and shows the one with the path `chosen`; "" means none. A chosen model that is not listed is
        shown too, so that it can be replaced."""
        names = {"": self.tr("None"), **{str(each.path): _name(each) for each in models}}
        if chosen not in names:
            names[chosen] = display_name(Path(chosen).name)
        self.show_choices(names, chosen, self.tr("Draft model: {name}"), self.tr("No suitable model"))


def _name(model: ModelFile) -> str:
    return f"{model.name} {model.quantisation}".strip()

"""The field that shows and changes the draft model, and the message about a draft model that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from desktop.error_messages import error_message
from desktop.models.draft_model_field import DraftModelField
from engine.errors import DraftModelError, EngineError, InvalidSettings, ModelFileError, Reason
from engine.library.model_scan import ModelFile

SMALL = ModelFile(Path("/models/Small-Q4_0.gguf"), 9)


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    widget = QWidget()
    qtbot.addWidget(widget)
    return widget


@pytest.fixture
def field(parent: QWidget) -> DraftModelField:
    return DraftModelField(parent)


def test_field_is_disabled_without_models_to_choose(field: DraftModelField) -> None:
    field.show_models([], "")
    assert not field.isEnabled()
    assert field.text() == "No suitable model"


def test_choice_in_the_menu_is_emitted_with_its_path(qtbot: QtBot, field: DraftModelField) -> None:
    field.show_models([SMALL], "")
    assert field.isEnabled()
    assert field.text() == "None"
    none, small = field._menu.actions()
    assert (none.text(), none.isChecked(), small.text()) == ("None", True, "Small Q4_0")
    with qtbot.waitSignal(field.chosen) as emitted:
        small.trigger()
    assert emitted.args == [str(SMALL.path)]
    field.show_models([SMALL], str(SMALL.path))
    assert field.text() == "Small Q4_0"
    with qtbot.waitSignal(field.chosen) as emitted:
        field._menu.actions()[0].trigger()
    assert emitted.args == [""]


def test_chosen_model_that_is_missing_can_be_replaced(field: DraftModelField) -> None:
    field.show_models([], "/gone/Old.gguf")
    assert field.isEnabled()
    assert field.text() == "Old.gguf"


def test_long_name_is_cut_off_so_that_the_field_is_not_wider_than_the_sheet(field: DraftModelField) -> None:
    path = "/models/" + "Long-name-" * 9 + ".gguf"
    field.show_models([], path)
    assert field.text() == "Long-name-Long-name-Long-name-L…"
    assert field._menu.actions()[1].text().startswith("Long-name-" * 9)


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        (
            InvalidSettings("draft_model", Reason("{name} has another vocabulary than the model", name="Small")),
            "The model is loaded without its draft model: Small has another vocabulary than the model.",
        ),
        (
            ModelFileError(SMALL.path, "the file does not exist"),
            "The model is loaded without its draft model. "
            + error_message(ModelFileError(SMALL.path, "the file does not exist")),
        ),
    ],
)
def test_message_tells_why_the_draft_model_is_not_used(cause: EngineError, text: str) -> None:
    assert error_message(DraftModelError(SMALL.path, cause)) == text

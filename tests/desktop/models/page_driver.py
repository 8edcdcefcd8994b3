"""Helpers of the model tests: read and click the rows of the models page as a user does."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRect, Qt
from PySide6.QtTest import QTest

from desktop.models.download_cards import DownloadCard
from desktop.models.model_list import ModelList, ModelRow
from desktop.models.model_list_view import ModelListView
from desktop.models.model_row_delegate import action_rects
from desktop.models.page import ModelsPage
from desktop.settings.settings_file import SettingsFile
from desktop.widgets.row_list import RowRole
from engine.files.profile import Profile
from tests.desktop.conftest import Gui

REPO = "makers/Tiny-Chat-GGUF"
NAME = "Tiny-Chat-Q4_K_M.gguf"


def page_of(gui: Gui) -> ModelsPage:
    page = gui.window.view("models", ModelsPage)
    assert page is not None
    return page


def rows(view: ModelListView) -> list[ModelRow]:
    models = view.model()
    assert isinstance(models, ModelList)
    return [models[n] for n in range(len(models))]


def names(view: ModelListView) -> list[str]:
    return [row.name for row in rows(view)]


def rect_of(view: ModelListView, name: str, act: str) -> QRect:
    index = view.model().index(names(view).index(name), 0)
    row = index.data(RowRole.ROW)
    return action_rects(view.visualRect(index), row, hovered=True)[act]  # type: ignore[index]


def click(view: ModelListView, name: str, act: str) -> None:
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=rect_of(view, name, act).center())


def use_of(gui: Gui, name: str) -> str:
    return next((row.use for row in rows(page_of(gui).local_models.view) if row.name == name), "not listed")


def card(gui: Gui) -> DownloadCard:
    (only,) = page_of(gui).downloads.cards
    return only


def save_folder(profile: Profile, *folders: Path) -> None:
    settings = SettingsFile(profile.settings)
    settings.change(model_folders=[str(folder) for folder in folders])
    settings.save()

"""The models' page at a person's hand: what it lists, and how a row of it is clicked."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRect, Qt
from PySide6.QtTest import QTest

from desktop.models.model_list import ModelList
from desktop.models.rows import ModelRow
from desktop.row_list import RowRole
from desktop.settings import SettingsFile
from desktop.widgets.models_downloads import DownloadCard
from desktop.widgets.models_page import ModelsPage
from desktop.widgets.models_rows import actions
from desktop.widgets.models_view import ModelsView
from engine.library.profile import Profile
from tests.desktop.conftest import House

REPO = "makers/Tiny-Chat-GGUF"
NAME = "Tiny-Chat-Q4_K_M.gguf"


def page_of(house: House) -> ModelsPage:
    assert house.window.models_page is not None
    return house.window.models_page


def rows(view: ModelsView) -> list[ModelRow]:
    models = view.model()
    assert isinstance(models, ModelList)
    return [models[n] for n in range(len(models))]


def names(view: ModelsView) -> list[str]:
    return [row.name for row in rows(view)]


def box_of(view: ModelsView, name: str, act: str) -> QRect:
    index = view.model().index(names(view).index(name), 0)
    row = index.data(RowRole.ROW)
    return actions(view.visualRect(index), row, pointed=True)[act]  # type: ignore[index]


def click(view: ModelsView, name: str, act: str) -> None:
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=box_of(view, name, act).center())


def use_of(house: House, name: str) -> str:
    return next((row.use for row in rows(page_of(house).on_disk.view) if row.name == name), "not listed")


def card(house: House) -> DownloadCard:
    (only,) = page_of(house).downloads.cards
    return only


def keep_folder(profile: Profile, *folders: Path) -> None:
    settings = SettingsFile(profile.settings)
    settings.change(model_folders=[str(folder) for folder in folders])
    settings.save()

"""Access to the import and export controls of the window under test."""

from __future__ import annotations

from typing import Any

from desktop.import_export.wiring import ImportExportWiring
from desktop.settings.page import SettingsPage
from tests.desktop.conftest import Gui, until


def wiring_of(gui: Gui) -> Any:
    return gui.window.findChild(ImportExportWiring)


def controller_of(gui: Gui) -> Any:
    return wiring_of(gui)._controller


def card_of(gui: Gui) -> Any:
    page = gui.window.view("settings", SettingsPage)
    assert page is not None
    return page.import_export


async def toast_shows(gui: Gui, text: str) -> None:
    await until(lambda: text in gui.window.toast.text)

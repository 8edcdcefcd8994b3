"""Declares the settings page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QT_TRANSLATE_NOOP
from PySide6.QtWidgets import QWidget

from desktop.framework.pages import Page

if TYPE_CHECKING:
    from desktop.services import Services


def _make(services: Services) -> QWidget:
    from desktop.import_export.wiring import ImportExportWiring
    from desktop.settings.settings_wiring import SettingsWiring

    window, actions = services.window, services.actions
    page = SettingsWiring(window, actions, services.settings, services.diagnostics).page
    ImportExportWiring(
        window,
        services.chat_page.header,
        services.sidebar.chats,
        page.import_export,
        services.import_export,
        services.chats,
        actions,
        services.tasks,
    )
    return page


SETTINGS_PAGE = Page(
    id="settings",
    title=str(QT_TRANSLATE_NOOP("pages", "Settings")),
    icon="settings-2",
    command=str(QT_TRANSLATE_NOOP("actions", "Go to the settings")),
    shortcut="Ctrl+4",
    make=_make,
)

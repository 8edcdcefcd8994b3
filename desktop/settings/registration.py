"""Declares the settings page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QT_TRANSLATE_NOOP
from PySide6.QtWidgets import QWidget

from desktop.framework.pages import Page

if TYPE_CHECKING:
    from desktop.services import Services


def _make(services: Services) -> QWidget:
    from desktop.settings.settings_wiring import SettingsWiring

    return SettingsWiring(
        services.window,
        services.chat_page.header,
        services.sidebar.chats,
        services.import_export,
        services.chats,
        services.actions,
        services.tasks,
        services.settings,
        services.diagnostics,
    ).page


SETTINGS_PAGE = Page(
    id="settings",
    title=str(QT_TRANSLATE_NOOP("pages", "Settings")),
    icon="settings-2",
    command=str(QT_TRANSLATE_NOOP("actions", "Go to the settings")),
    shortcut="Ctrl+4",
    make=_make,
)

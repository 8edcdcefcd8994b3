"""Registers the settings page with its title, icon, shortcut and factory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication
from PySide6.QtWidgets import QWidget

from desktop.framework.app_window import AppWindow
from desktop.framework.pages import Page

if TYPE_CHECKING:
    from desktop.services import Services


def _make(services: Services) -> QWidget:
    from desktop.import_export.wiring import ImportExportWiring
    from desktop.settings.actions import settings_actions
    from desktop.settings.page import SettingsPage

    window, settings, actions = services.window, services.settings, services.actions
    page = SettingsPage(window.theme, settings, actions, services.diagnostics)
    actions.add(*settings_actions(settings, page.copy_diagnostics))
    settings.on_change("theme", window.theme.choose)
    settings.on_change("text_size", window.theme.resize_text)
    settings.on_change("language", lambda _: _offer_restart(window))
    ImportExportWiring(
        window,
        services.sidebar.chats,
        page.import_export,
        services.import_export,
        services.chats,
        actions,
        services.tasks,
    )
    return page


def _offer_restart(window: AppWindow) -> None:
    window.toast.show_message(
        QCoreApplication.translate("settings", "The language changes after a restart."),
        action=QCoreApplication.translate("settings", "Close now"),
        act=window.close_requested.emit,
        topic="restart",
    )


SETTINGS_PAGE = Page(
    id="settings",
    title=str(QT_TRANSLATE_NOOP("pages", "Settings")),
    icon="settings-2",
    command=str(QT_TRANSLATE_NOOP("actions", "Go to the settings")),
    shortcut="Ctrl+4",
    make=_make,
)

"""Registers the settings page with its title, icon, shortcut and factory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from desktop.framework.app_window import AppWindow
from desktop.framework.pages import Page

if TYPE_CHECKING:
    from desktop.services import Services
    from desktop.settings.page import SettingsPage


def _prepare(services: Services) -> Callable[[], QWidget]:
    from desktop.import_export.wiring import ImportExportWiring
    from desktop.settings.actions import settings_actions

    window, settings, actions = services.window, services.settings, services.actions
    page: SettingsPage | None = None

    def copy_diagnostics() -> None:
        if page is not None:
            page.copy_diagnostics()
        else:
            QGuiApplication.clipboard().setText(services.diagnostics())

    def make() -> QWidget:
        nonlocal page
        from desktop.settings.page import SettingsPage

        page = SettingsPage(window.theme, settings, actions, services.diagnostics)
        import_export.add_card(page.import_export)
        return page

    actions.add(*settings_actions(settings, copy_diagnostics))
    settings.on_change("theme", window.theme.choose)
    settings.on_change("text_size", window.theme.resize_text)
    settings.on_change("language", lambda _: _offer_restart(window))
    import_export = ImportExportWiring(
        window,
        services.sidebar.chats,
        services.import_export,
        services.chats,
        actions,
        services.tasks,
    )
    return make


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
    prepare=_prepare,
)

"""Adds the action "Help", which opens the page of help. The page is created when it is first opened."""

from __future__ import annotations

from PySide6.QtCore import QLocale, QObject
from PySide6.QtGui import QDesktopServices

from desktop.error_messages import error_message
from desktop.framework.actions import Action, Actions
from desktop.shell.main_window import MainWindow


class HelpWiring(QObject):
    """Child of the window. GUI thread only."""

    def __init__(self, window: MainWindow, actions: Actions) -> None:
        super().__init__(window)
        self._window = window
        actions.add(Action("help", self.tr("Help"), self.show, "F1"))
        if window.settings_page is not None:
            window.settings_page.help_requested.connect(self.show)

    def show(self) -> None:
        if self._window.help_page is None:
            from desktop.help.page import HelpPage
            from desktop.help.topics import topics

            try:
                page = HelpPage(self._window.theme, topics(QLocale().name()[:2]), self._window)
            except OSError as error:
                self._window.toast.show_message(error_message(error), alert=True)
                return
            page.view.link_activated.connect(QDesktopServices.openUrl)
            self._window.add_help_page(page)
        self._window.show_help_page()

"""Connects what the app does while its window is out of sight with the settings of it."""

from __future__ import annotations

from PySide6.QtCore import QObject

from desktop.framework.app_window import AppWindow
from desktop.settings.app_settings import AppSettings
from desktop.settings.background_card import BackgroundCard
from desktop.shell.tray import Tray


class BackgroundWiring(QObject):
    """Lives as long as its window. GUI thread only."""

    def __init__(
        self,
        window: AppWindow,
        card: BackgroundCard,
        settings: AppSettings,
        tray: Tray,
    ) -> None:
        super().__init__(window)
        self._card, self._tray, self._settings = card, tray, settings
        for name in card.switches:
            card.show_choice(name, bool(getattr(settings.value, name)))
        self._look()
        card.shown.connect(self._look)
        card.switched.connect(self._switch)

    def _switch(self, name: str, on: bool) -> None:
        self._settings.change(**{name: on})
        if name == "tray":
            self._tray.show_icon(on)
        self._look()

    def _look(self) -> None:
        self._card.show_tray(self._tray.look())

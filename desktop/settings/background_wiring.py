"""Connects what the app does while its window is out of sight with the settings of it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from desktop.settings.background_card import BackgroundCard
from desktop.settings.settings_file import SettingsFile
from desktop.shell.main_window import MainWindow
from desktop.shell.tray import Tray


class BackgroundWiring(QObject):
    """Lives as long as its window. `remember(**changes)` keeps settings. GUI thread only."""

    def __init__(
        self,
        window: MainWindow,
        card: BackgroundCard,
        settings: SettingsFile,
        tray: Tray,
        remember: Callable[..., None],
    ) -> None:
        super().__init__(window)
        self._card, self._tray, self._remember = card, tray, remember
        for name in card.switches:
            card.show_choice(name, bool(getattr(settings.value, name)))
        self._look()
        card.shown.connect(self._look)
        card.switched.connect(self._switch)
        window.stays = lambda: settings.value.stays and tray.look()

    def _switch(self, name: str, on: bool) -> None:
        self._remember(**{name: on})
        if name == "tray":
            self._tray.show_icon(on)
        self._look()

    def _look(self) -> None:
        self._card.show_tray(self._tray.look())

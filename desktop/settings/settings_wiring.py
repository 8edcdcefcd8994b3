"""Connects the settings page."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from desktop.framework.actions import Actions
from desktop.framework.app_window import AppWindow
from desktop.platform.theme import TEXT_SIZES
from desktop.settings.app_settings import AppSettings
from desktop.settings.page import SettingsPage
from desktop.settings.settings_file import TEXT_SIZE, LanguageChoice, ThemeChoice


class SettingsWiring(QObject):
    """Lives as long as its window. GUI thread only.

    `diagnose` gives the text for a report."""

    def __init__(
        self,
        window: AppWindow,
        actions: Actions,
        settings: AppSettings,
        diagnose: Callable[[], str],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._settings = settings
        self._actions = actions
        self.page = SettingsPage(window.theme, actions)
        self.page.language.show_choice(settings.value.language)
        self.page.theme_chosen.connect(self._choose_theme)
        self.page.language.chosen.connect(self._choose_language)
        self.page.text_step_requested.connect(self._step_text)
        self.page.keys.keys_chosen.connect(self._change_keys)
        self.page.keys.reset_requested.connect(actions.reset_shortcuts)
        self.page.help_requested.connect(lambda: window.show_page("help"))
        self.page.updates_chosen.connect(lambda on: settings.change(updates="on" if on else "off"))
        self.page.show_updates(settings.value.updates == "on")
        settings.on_change("updates", lambda choice: self.page.show_updates(choice == "on"))
        self.page.diagnostics_requested.connect(lambda: self.page.put_diagnostics(diagnose()))

    def _choose_theme(self, choice: ThemeChoice) -> None:
        self._window.theme.choose(choice)
        self._settings.change(theme=choice)
        self.page.show_theme(choice)

    def _choose_language(self, choice: LanguageChoice) -> None:
        self._settings.change(language=choice)
        self.page.language.show_choice(choice)
        self._offer_to_close(self.tr("The language is another one from the next start on."))

    def _step_text(self, step: int) -> None:
        """The next larger or smaller size, or the usual one for 0."""
        theme = self._window.theme
        place = TEXT_SIZES.index(min(TEXT_SIZES, key=lambda each: abs(each - theme.text_size)))
        size = TEXT_SIZES[max(0, min(place + step, len(TEXT_SIZES) - 1))] if step else TEXT_SIZE
        theme.resize_text(size)
        self._settings.change(text_size=size)

    def _change_keys(self, action_id: str, keys: str) -> None:
        if (holder := self._actions.change_shortcut(action_id, keys)) is not None:
            self.page.keys.refuse(action_id, holder.words)

    def _offer_to_close(self, words: str) -> None:
        self._window.toast.show_message(
            words, action=self.tr("Close now"), act=self._window.close_requested.emit, topic="restart"
        )

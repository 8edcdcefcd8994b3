"""Connects the settings of the open chat with the settings sheet, the presets, and the preset button of the
composer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from PySide6.QtCore import QCoreApplication, QObject, QPoint, Signal
from PySide6.QtGui import QKeySequence

from desktop.chat import strings
from desktop.chat.chat_settings.preset_bar import preset_menu
from desktop.chat.chat_settings.presets import Presets, as_preset
from desktop.chat.chat_settings.settings_sheet import ChatSettingsSheet
from desktop.chat.page import ChatPage
from desktop.chat.sessions import ChatSessions
from desktop.framework.app_window import AppWindow
from desktop.platform.task_set import TaskSet
from desktop.store.records import ChatSettings
from desktop.store.store import Store

translate = QCoreApplication.translate


class ChatSettingsController(QObject):
    """Controller of the settings of the open chat. Exists as long as its window. GUI thread only."""

    changed = Signal()
    """Emitted when the user has changed the settings of the open chat."""

    def __init__(self, window: AppWindow, page: ChatPage, sessions: ChatSessions, store: Store, tasks: TaskSet) -> None:
        super().__init__(window)
        self._window, self._page, self._composer, self._sessions = window, page, page.composer, sessions
        self._store, self._tasks = store, tasks
        self._presets = Presets({})
        self.sheet = ChatSettingsSheet(window.theme, page)
        self.sheet.changed.connect(self._change)
        self.sheet.closed.connect(self._composer.setFocus)
        self.sheet.preset_saved.connect(self._save_preset)
        self.sheet.preset_renamed.connect(self._rename_preset)
        self.sheet.preset_deleted.connect(self._delete_preset)
        self._composer.settings_requested.connect(self._toggle_sheet)
        self._composer.presets_requested.connect(self._open_menu)
        self._composer.submitted.connect(self.sheet.flush)
        sessions.leaving.connect(self.sheet.flush)
        sessions.opened.connect(self._show)
        self._show()

    async def open(self) -> None:
        """Load the presets that the user saved. Raises StoreError."""
        self._set_presets(await self._store.presets())

    def _show(self) -> None:
        self.sheet.flush()  # `flush` may change the settings, so it is called before they are read
        settings = self._sessions.settings
        self.sheet.show_settings(settings)
        name, changed = self._presets.name_of(settings)
        self._composer.show_preset(strings.preset_name(name), changed=changed)

    def _change(self, settings: ChatSettings) -> None:
        self._sessions.change_settings(settings)
        self.changed.emit()

    def _toggle_sheet(self) -> None:
        if self.sheet.isVisible():
            self.sheet.close_sheet()
        else:
            self._window.show_page("chat")
            self._page.open_settings_sheet()

    def _open_menu(self) -> None:
        pill = self._composer.preset_pill
        current, _ = self._presets.name_of(self._sessions.settings)
        menu = preset_menu(self._window.theme, self._presets, current, pill)
        menu.addSeparator()
        more = menu.addAction(translate("composer", "Settings of this chat…"))
        more.setShortcut(QKeySequence("Ctrl+,"))
        menu.triggered.connect(
            lambda action: self._toggle_sheet() if action is more else self._choose_preset(str(action.data()))
        )
        menu.popup(pill.mapToGlobal(QPoint(0, -menu.sizeHint().height() - 4)))

    def _choose_preset(self, name: str) -> None:
        self.sheet.flush()
        self._change(self._presets.apply(name, self._sessions.settings))

    def _set_presets(self, own: Mapping[str, ChatSettings]) -> None:
        self._presets = Presets(own)
        self.sheet.show_presets(self._presets)
        self._show()

    def _save_preset(self, name: str) -> None:
        self.sheet.flush()
        preset = as_preset(name, self._sessions.settings)
        self._set_presets({**self._presets.own, name: preset})
        self._change(replace(self._sessions.settings, preset=name))
        self._tasks.spawn(self._store.save_preset(name, preset), "save a preset")

    def _rename_preset(self, old: str, new: str) -> None:
        preset = as_preset(new, self._presets.own[old])
        self._set_presets({**self._without(old), new: preset})
        self._change(replace(self._sessions.settings, preset=new))
        self._tasks.spawn(self._save_renamed(old, new, preset), "rename a preset")

    def _delete_preset(self, name: str) -> None:
        """Delete a preset and offer to undo this. The settings of the open chat do not change."""
        preset = self._presets.own[name]
        self._set_presets(self._without(name))
        self._tasks.spawn(self._store.save_preset(name, None), "delete a preset")

        def undo() -> None:
            self._set_presets({**self._presets.own, name: preset})
            self._tasks.spawn(self._store.save_preset(name, preset), "restore a preset")

        text = translate("composer", "The preset “{name}” is deleted.").format(name=name)
        self._window.undo_stack.push(text, undo)

    def _without(self, name: str) -> dict[str, ChatSettings]:
        return {other: preset for other, preset in self._presets.own.items() if other != name}

    async def _save_renamed(self, old: str, new: str, preset: ChatSettings) -> None:
        # The new name is saved before the old one is deleted, so that the store always has the preset.
        await self._store.save_preset(new, preset)
        await self._store.save_preset(old, None)

"""The current settings of the app. A change is saved in the background, and listeners are called."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from desktop.platform.task_set import TaskSet
from desktop.settings.all_settings import Settings
from desktop.settings.settings_file import SettingsFile


class AppSettings:
    """Holds the current settings in `value`, changes them, and calls the listeners of a change. GUI thread only."""

    def __init__(self, file: SettingsFile, tasks: TaskSet) -> None:
        self._file, self._tasks = file, tasks
        self._listeners: dict[str, list[Callable[[Any], object]]] = {}
        self._listeners_to_all: list[Callable[[], object]] = []

    @property
    def value(self) -> Settings:
        return self._file.value

    def change(self, **changes: object) -> None:
        """Sets new values; each keyword is the name of a setting. Listeners are called before this method returns; the
        file is written later."""
        before = self._file.value
        if not self._file.change(**changes):
            return
        self._tasks.spawn(asyncio.to_thread(self._file.save), "save the settings")
        for name, value in changes.items():
            if value != getattr(before, name):
                for listener in self._listeners.get(name, ()):
                    listener(value)
        for listener_to_all in self._listeners_to_all:
            listener_to_all()

    def on_change(self, name: str, listener: Callable[[Any], object]) -> None:
        """Calls `listener(value)` after each change of the setting `name`."""
        self._listeners.setdefault(name, []).append(listener)

    def on_any_change(self, listener: Callable[[], object]) -> None:
        """Calls `listener()` after each call of `change` that changed a setting."""
        self._listeners_to_all.append(listener)

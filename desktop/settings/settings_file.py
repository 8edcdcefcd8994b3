"""Reads and writes the settings file, a JSON file in the profile."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import asdict, fields, replace
from pathlib import Path

from desktop.settings.all_settings import Settings
from desktop.settings.setting_field import is_valid
from engine.files.atomic_write import write_atomic


class SettingsDamaged(Exception):
    """The settings file was damaged and has been renamed to `kept_as`."""

    def __init__(self, kept_as: str) -> None:
        super().__init__(kept_as)
        self.kept_as = kept_as


class SettingsUnreadable(Exception):
    """The settings file cannot be read, or is damaged and cannot be renamed. `reason` is the message of the operating
    system."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SettingsFile:
    """Holds the settings and saves them to their file. `value` and `change` may be used on one thread only; `save` may
    be called on any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._saving = threading.Lock()
        self.problem: SettingsDamaged | SettingsUnreadable | None = None
        """Why the file is unusable; None if it is usable. If the file is unusable, all settings have their defaults."""
        self.value = self._load()

    def change(self, **changes: object) -> bool:
        """Sets new values, without saving them. Returns True if a value has changed."""
        changed = replace(self.value, **changes)  # type: ignore[arg-type]
        different = changed != self.value
        self.value = changed
        return different

    def save(self) -> None:
        """Writes the file atomically. Raises OSError.

        If the file could not be read, it is not overwritten, because it may become readable again."""
        if isinstance(self.problem, SettingsUnreadable):
            return
        with self._saving:
            write_atomic(self._path, json.dumps(asdict(self.value), indent=2), durable=True)

    def _load(self) -> Settings:
        try:
            found = json.loads(self._path.read_text(encoding="utf-8-sig"))  # an editor may have added a BOM
            if not isinstance(found, dict):
                raise ValueError("the settings are no object")
        except FileNotFoundError:
            return Settings()
        except OSError as error:
            self.problem = SettingsUnreadable(error.strerror or str(error))
            return Settings()
        except (ValueError, RecursionError):  # ValueError includes UnicodeDecodeError
            self._rename_damaged()
            return Settings()
        return _checked(found)

    def _rename_damaged(self) -> None:
        aside = self._path.with_name(f"{self._path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
        try:
            self._path.replace(aside)
            self.problem = SettingsDamaged(aside.name)
        except OSError as error:
            self.problem = SettingsUnreadable(error.strerror or str(error))


def _checked(stored: dict[str, object]) -> Settings:
    """The settings with all valid stored values, and with the default in place of each invalid one."""
    valid: dict[str, object] = {}
    default = Settings()
    for declared in fields(Settings):
        value = stored.get(declared.name)
        if type(value) is not type(getattr(default, declared.name)) or not is_valid(declared, value):
            continue
        if declared.name == "model_settings" and isinstance(value, dict):
            value = {path: each for path, each in value.items() if isinstance(each, dict)}
        valid[declared.name] = value
    return Settings(**valid)  # type: ignore[arg-type]

"""What a person has chosen, in one small JSON file of the profile."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import asdict, fields, replace
from pathlib import Path

from desktop.settings.declaration import is_valid
from desktop.settings.settings import Settings
from engine.files.atomic_write import write_atomic


class SettingsDamaged(Exception):
    """The file held no settings; `kept_as` is the name that it has now."""

    def __init__(self, kept_as: str) -> None:
        super().__init__(kept_as)
        self.kept_as = kept_as


class SettingsUnreadable(Exception):
    """The file is there and cannot be read, or not be moved aside; `reason` is the system's own words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SettingsFile:
    """The settings and the file they lie in. `value` and `change` belong to one thread; `save` may run on any."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._saving = threading.Lock()
        self.problem: SettingsDamaged | SettingsUnreadable | None = None
        """Why the settings of the file are not used; None if they are."""
        self.value = self._load()

    def change(self, **changes: object) -> bool:
        """Puts new values in place; True where something is different now and wants to be saved."""
        changed = replace(self.value, **changes)  # type: ignore[arg-type]
        different = changed != self.value
        self.value = changed
        return different

    def save(self) -> None:
        """Writes the file as a whole or not at all. Raises OSError.

        A file that could not be read is left as it is: it holds settings, and may be readable again."""
        if isinstance(self.problem, SettingsUnreadable):
            return
        with self._saving:
            write_atomic(self._path, json.dumps(asdict(self.value), indent=2), durable=True)

    def _load(self) -> Settings:
        try:
            found = json.loads(self._path.read_text(encoding="utf-8-sig"))  # editors may add a mark
            if not isinstance(found, dict):
                raise ValueError("the settings are no object")
        except FileNotFoundError:
            return Settings()
        except OSError as error:
            self.problem = SettingsUnreadable(error.strerror or str(error))
            return Settings()
        except (ValueError, RecursionError):  # includes bytes that are no UTF-8
            self._keep_aside()
            return Settings()
        return _checked(found)

    def _keep_aside(self) -> None:
        aside = self._path.with_name(f"{self._path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
        try:
            self._path.replace(aside)
            self.problem = SettingsDamaged(aside.name)
        except OSError as error:
            self.problem = SettingsUnreadable(error.strerror or str(error))


def _checked(stored: dict[str, object]) -> Settings:
    """Takes the values that are valid; an invalid one does not affect the others."""
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

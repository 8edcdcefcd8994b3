"""What a person has chosen, in one small JSON file of the profile."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Literal, get_args

from engine.files.atomic_write import write_atomic

ThemeChoice = Literal["system", "light", "dark"]
UpdatesChoice = Literal["unasked", "on", "off"]
LanguageChoice = Literal["system", "en", "de"]
TEXT_SIZE = 13
"""The usual size of interface text, in pixels."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`geometry` is Qt's own description of the window's place, in base64. `model_path` "" means the default model."""

    theme: ThemeChoice = "system"
    language: LanguageChoice = "system"
    text_size: int = TEXT_SIZE
    """Of interface text, in pixels; all other text is in proportion."""
    geometry: str = ""
    tray: bool = True
    """An icon in the desktop's tray, where it has one."""
    stays: bool = False
    """Closing the window leaves the app in the tray."""
    notifies: bool = True
    """Say when a long answer has ended unseen."""
    archive_folded: bool = True
    """Only the name of the archive is listed."""
    endpoint_on: bool = False
    endpoint_port: int = 4645
    endpoint_origins: list[str] = field(default_factory=list)
    """Web pages and apps that may use the endpoint, by their origins."""
    model_path: str = ""
    shortcuts: dict[str, str] = field(default_factory=dict)
    """Keys that differ from those at first, by the action's id."""
    model_folders: list[str] = field(default_factory=list)
    """Where a person keeps model files, beside the profile's own folder."""
    model_settings: dict[str, dict[str, object]] = field(default_factory=dict)
    """How a file is loaded, where that differs from what is usual, by the file's path."""
    updates: UpdatesChoice = "unasked"
    """Whether Inglenook may look for new versions."""
    updates_looked_at: float = 0.0
    """When it last did, in seconds since 1970."""


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


def _checked(found: dict[str, object]) -> Settings:
    """Takes what is of the right kind; one strange value does not cost the others."""
    good: dict[str, object] = {}
    for name in (each.name for each in fields(Settings)):
        value = found.get(name)
        if type(value) is not type(getattr(Settings(), name)):
            continue
        if name == "theme" and value not in get_args(ThemeChoice):
            continue
        if name == "text_size" and not 8 <= int(str(value)) <= 24:
            continue
        if name == "language" and value not in get_args(LanguageChoice):
            continue
        if name == "updates" and value not in get_args(UpdatesChoice):
            continue
        if name == "endpoint_port" and not 0 < int(str(value)) < 65536:
            continue
        if name == "shortcuts" and isinstance(value, dict) and not all(map(_is_text, value.values())):
            continue
        if name in ("model_folders", "endpoint_origins") and isinstance(value, list) and not all(map(_is_text, value)):
            continue
        if name == "model_settings" and isinstance(value, dict):
            value = {path: each for path, each in value.items() if isinstance(each, dict)}
        good[name] = value
    return Settings(**good)  # type: ignore[arg-type]


def _is_text(value: object) -> bool:
    return isinstance(value, str)

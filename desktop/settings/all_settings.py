"""All settings. Each field declares a setting completely: name, type, default, check, and its row on the settings
page."""
# ruff: noqa: RUF009 -- `setting` is `dataclasses.field`

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from PySide6.QtCore import QT_TRANSLATE_NOOP

from desktop.platform.language import LANGUAGES, LanguageChoice
from desktop.platform.theme import TEXT_SIZE, TEXT_SIZES, ThemeChoice
from desktop.settings.setting_field import ChoiceRow, StepsRow, SwitchRow, setting

UpdatesChoice = Literal["unasked", "on", "off"]


def _all_text(values: list[object] | dict[str, object]) -> bool:
    return all(isinstance(value, str) for value in (values.values() if isinstance(values, dict) else values))


def _all_objects(values: list[object]) -> bool:
    return all(isinstance(value, dict) for value in values)


@dataclass(frozen=True, slots=True)
class Settings:
    """The values of all settings. The settings file uses the same names.

    To add a setting, add a field here, and read it where it is used."""

    theme: ThemeChoice = setting(
        "system",
        ChoiceRow(
            "appearance",
            (
                ("system", str(QT_TRANSLATE_NOOP("settings", "As the system"))),
                ("light", str(QT_TRANSLATE_NOOP("settings", "Light"))),
                ("dark", str(QT_TRANSLATE_NOOP("settings", "Dark"))),
            ),
        ),
        is_valid=lambda value: value in get_args(ThemeChoice),
    )
    language: LanguageChoice = setting(
        "system",
        ChoiceRow("language", (("system", str(QT_TRANSLATE_NOOP("settings", "As the system"))), *LANGUAGES.items())),
        is_valid=lambda value: value in get_args(LanguageChoice),
    )
    text_size: int = setting(
        TEXT_SIZE,
        StepsRow("appearance", str(QT_TRANSLATE_NOOP("settings", "Text size")), TEXT_SIZES, TEXT_SIZE),
        is_valid=lambda value: 8 <= value <= 24,
    )
    """Size of interface text in pixels. All other text is scaled in proportion."""
    geometry: str = setting("")
    """Position and size of the window, as written by `QWidget.saveGeometry`, in base64."""
    notifies: bool = setting(
        True,
        SwitchRow(
            "notifications",
            str(QT_TRANSLATE_NOOP("settings", "Notify when a long answer is ready while the window is out of sight")),
        ),
    )
    tray: bool = setting(
        True,
        SwitchRow("notifications", str(QT_TRANSLATE_NOOP("settings", "Icon in the tray, where the desktop has one"))),
    )
    stays: bool = setting(
        False,
        SwitchRow(
            "notifications", str(QT_TRANSLATE_NOOP("settings", "Closing the window leaves Inglenook in the tray"))
        ),
    )
    archive_folded: bool = setting(True)
    """Whether the archive in the sidebar is folded, so that its chats are not listed."""
    endpoint_on: bool = setting(False)
    endpoint_port: int = setting(4645, is_valid=lambda value: 0 < value < 65536)
    endpoint_origins: list[str] = setting([], is_valid=_all_text)
    """Origins of the web pages and apps that may use the endpoint."""
    model_path: str = setting("")
    """Path of the model file that was loaded last; "" for the default model."""
    model_offer_answered: bool = setting(False)
    """Whether the user answered the offer to download the model that suits this computer best."""
    shortcuts: dict[str, str] = setting({}, is_valid=_all_text)
    """The shortcuts that differ from the default ones, by action id."""
    model_folders: list[str] = setting([], is_valid=_all_text)
    """Folders with model files that the user added."""
    model_settings: dict[str, dict[str, object]] = setting({})
    """Maps the path of each model file to its load options that differ from the defaults."""
    connections: list[dict[str, object]] = setting([], is_valid=_all_objects)
    """Connections to other servers, as `engine.remote.stored_connections` writes them. Their keys are elsewhere."""
    remote_model: dict[str, str] = setting({}, is_valid=_all_text)
    """The `connection` (id) and the `model` (id) that answer in place of the local model; empty for the local one."""
    updates: UpdatesChoice = setting(
        "unasked",
        SwitchRow("about", str(QT_TRANSLATE_NOOP("settings", "Check for new versions once a week")), "on", "off"),
        is_valid=lambda value: value in get_args(UpdatesChoice),
    )
    updates_looked_at: float = setting(0.0)
    """Time of the last check for a new version, in seconds since 1970."""

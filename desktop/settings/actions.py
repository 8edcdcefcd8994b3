"""The actions that change settings, and the action that copies the diagnostics."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QCoreApplication

from desktop.framework.actions import Action
from desktop.platform.theme import TEXT_SIZE, TEXT_SIZES
from desktop.settings.current_settings import AppSettings
from desktop.settings.rows import next_step

translate = QCoreApplication.translate


def settings_actions(settings: AppSettings, copy_diagnostics: Callable[[], None]) -> list[Action]:
    """The actions for appearance and text size, and the one that copies the diagnostics. GUI thread only."""
    change = settings.change

    def step_text_size(by: int) -> None:
        change(text_size=next_step(TEXT_SIZES, settings.value.text_size, by))

    return [
        Action("looks_light", translate("actions", "Light appearance"), partial(change, theme="light")),
        Action("looks_dark", translate("actions", "Dark appearance"), partial(change, theme="dark")),
        Action("looks_system", translate("actions", "Appearance as the system"), partial(change, theme="system")),
        Action("text_larger", translate("actions", "Larger text"), partial(step_text_size, 1), "Ctrl++", "Ctrl+="),
        Action("text_smaller", translate("actions", "Smaller text"), partial(step_text_size, -1), "Ctrl+-"),
        Action(
            "text_usual", translate("actions", "Text in the usual size"), partial(change, text_size=TEXT_SIZE), "Ctrl+0"
        ),
        Action("diagnostics", translate("actions", "Copy diagnostics"), copy_diagnostics),
    ]

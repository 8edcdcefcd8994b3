"""Presets: chat settings with a name, either built in or saved by the user. Qt-free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from desktop.store.records import ChatSettings

EVERYDAY = "Everyday"
BUILT_IN: Mapping[str, ChatSettings] = {
    EVERYDAY: ChatSettings(preset=EVERYDAY),
    "Precise": ChatSettings(preset="Precise", temperature=0.2, top_p=0.9, top_k=20),
    "Creative": ChatSettings(preset="Creative", temperature=1.1, top_p=0.98, top_k=0, min_p=0.04),
}
MAX_NAME_LENGTH = 40

CHAT_ONLY_FIELDS = frozenset({"system", "preset", "leaves_out", "summary", "summarised_to"})
"""Settings that do not change when a preset is applied. The exception is `system` (the instructions): a preset that was
saved with instructions replaces them."""

NameProblem = Literal["", "empty", "long", "taken"]


@dataclass(frozen=True, slots=True)
class Presets:
    """All presets, built in or saved by the user. `own` contains those saved by the user, by name."""

    own: Mapping[str, ChatSettings]

    @property
    def names(self) -> list[str]:
        return [*BUILT_IN, *sorted(self.own, key=str.casefold)]

    def is_own(self, name: str) -> bool:
        return name in self.own

    def apply(self, name: str, settings: ChatSettings) -> ChatSettings:
        """A copy of `settings` with the values of this preset. If the preset has no instructions, those in `settings`
        are kept."""
        found = self.own.get(name) or BUILT_IN.get(name)
        if found is None:
            return settings
        values = _values(found)
        return replace(settings, **values, preset=name, system=found.system or settings.system)

    def name_of(self, settings: ChatSettings) -> tuple[str, bool]:
        """Name of the preset that these settings come from ("" for none), and whether a setting was changed since the
        preset was applied."""
        name = settings.preset or (EVERYDAY if _values(settings) == _values(ChatSettings()) else "")
        if name not in self.names:
            return "", False
        return name, self.apply(name, settings) != replace(settings, preset=name)

    def name_problem(self, name: str, *, replaces: str = "") -> NameProblem:
        """Why the user cannot save a preset under this name; "" if the name is valid. `replaces` is the name of a
        preset that the new one will replace; this name does not count as taken."""
        name = name.strip()
        if not name:
            return "empty"
        if len(name) > MAX_NAME_LENGTH:
            return "long"
        others = {each.casefold() for each in self.names if each != replaces}
        return "taken" if name.casefold() in others else ""


def as_preset(name: str, settings: ChatSettings) -> ChatSettings:
    """Preset with this name, made from the settings of a chat."""
    return ChatSettings(system=settings.system, preset=name, **_values(settings))


def _values(settings: ChatSettings) -> dict[str, Any]:
    return {
        field.name: getattr(settings, field.name) for field in fields(settings) if field.name not in CHAT_ONLY_FIELDS
    }

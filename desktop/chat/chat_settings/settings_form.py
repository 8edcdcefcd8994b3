"""Numeric chat settings: their ranges, defaults and texts, and validation while the user types."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from PySide6.QtCore import QT_TRANSLATE_NOOP

from desktop.store.records import ChatSettings
from engine.requests import Sampling

Name = Literal["temperature", "top_p", "top_k", "min_p", "repeat_penalty", "max_tokens", "seed"]


@dataclass(frozen=True, slots=True)
class Number:
    """A numeric field of `ChatSettings`, with values from `lowest` to `highest`. Its texts are in English. They are
    translated in the translation context "composer" of Qt."""

    name: Name
    label: str
    help: str
    lowest: float
    highest: float
    whole: bool = False
    default: float | None = None
    without_default: str = ""
    """Text shown in place of a default value, for example "no limit"; "" if the number has a default value."""

    def value_of(self, text: str) -> float | None:
        """The number in this text, or None if the text is invalid. The decimal separator may be a comma."""
        try:
            value: float = int(text) if self.whole else float(text.replace(",", "."))
        except ValueError:
            return None
        # NaN is rejected too, because each comparison with it is False
        return value if self.lowest <= value <= self.highest else None


def _text(english: object) -> str:
    """Gives the result of QT_TRANSLATE_NOOP the type `str`. The translation tool lupdate finds the texts by
    QT_TRANSLATE_NOOP."""
    return str(english)


_DEFAULTS = Sampling()
NUMBERS: tuple[Number, ...] = (
    Number(
        "temperature",
        _text(QT_TRANSLATE_NOOP("composer", "Temperature")),
        _text(QT_TRANSLATE_NOOP("composer", "Low is predictable, high is varied")),
        0,
        2,
        default=_DEFAULTS.temperature,
    ),
    Number(
        "top_p",
        _text(QT_TRANSLATE_NOOP("composer", "Top P")),
        _text(QT_TRANSLATE_NOOP("composer", "Only the most likely tokens up to this total probability")),
        0,
        1,
        default=_DEFAULTS.top_p,
    ),
    Number(
        "top_k",
        _text(QT_TRANSLATE_NOOP("composer", "Top K")),
        _text(QT_TRANSLATE_NOOP("composer", "Only this many of the most likely tokens; 0 for all")),
        0,
        1000,
        whole=True,
        default=_DEFAULTS.top_k,
    ),
    Number(
        "min_p",
        _text(QT_TRANSLATE_NOOP("composer", "Min P")),
        _text(QT_TRANSLATE_NOOP("composer", "Only tokens at least this likely, relative to the most likely one")),
        0,
        1,
        default=_DEFAULTS.min_p,
    ),
    Number(
        "repeat_penalty",
        _text(QT_TRANSLATE_NOOP("composer", "Repeat penalty")),
        _text(QT_TRANSLATE_NOOP("composer", "Above 1 discourages repetition")),
        0.5,
        2,
        default=_DEFAULTS.repeat_penalty,
    ),
    Number(
        "max_tokens",
        _text(QT_TRANSLATE_NOOP("composer", "Maximum tokens per answer")),
        _text(QT_TRANSLATE_NOOP("composer", "Longer answers are cut off here")),
        1,
        1_000_000,
        whole=True,
        without_default=_text(QT_TRANSLATE_NOOP("composer", "no limit")),
    ),
    Number(
        "seed",
        _text(QT_TRANSLATE_NOOP("composer", "Seed")),
        _text(QT_TRANSLATE_NOOP("composer", "The same number gives the same answer")),
        0,
        4_294_967_295,
        whole=True,
        without_default=_text(QT_TRANSLATE_NOOP("composer", "random")),
    ),
)
BY_NAME = {number.name: number for number in NUMBERS}


class SettingsForm:
    """Holds chat settings while the user edits them. Each valid change takes effect at once, and is passed to
    `changed(settings)`. Not thread-safe."""

    def __init__(self, changed: Callable[[ChatSettings], None]) -> None:
        self._changed = changed
        self.settings = ChatSettings()
        self.invalid: dict[Name, Number] = {}
        """Numbers for which the user has typed an invalid text. Their settings keep the previous values."""

    def show(self, settings: ChatSettings) -> None:
        """Replace the settings without calling `changed`."""
        self.settings = settings
        self.invalid.clear()

    def enter(self, name: Name, text: str) -> bool:
        """Set a number from the text that the user typed; "" sets the default. If the text is invalid, keep the
        previous value and return False."""
        text = text.strip()
        value = BY_NAME[name].value_of(text) if text else None
        if text and value is None:
            self.invalid[name] = BY_NAME[name]
            return False
        self.invalid.pop(name, None)
        self.change(**{name: value})
        return True

    def change(self, **changes: object) -> None:
        changed = replace(self.settings, **changes)  # type: ignore[arg-type]
        if changed != self.settings:
            self.settings = changed
            self._changed(changed)

    def text_of(self, name: Name) -> str:
        """Current value of a number as text; "" if it has the default."""
        value = getattr(self.settings, name)
        return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)

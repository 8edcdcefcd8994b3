"""The options of the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.files.profile import Profile


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one start of the app. If `model` or `port` is None, the value in the settings is used."""

    profile: Profile
    model: Path | None = None
    port: int | None = None
    quick_ask: bool = False
    """Whether to open Quick ask, in this instance or in the one that is already running."""

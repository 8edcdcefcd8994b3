"""The options of the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.files.profile import Profile


@dataclass(frozen=True, slots=True)
class Options:
    """None: as stored in the settings."""

    profile: Profile
    model: Path | None = None
    port: int | None = None
    quick_ask: bool = False
    """Open Quick ask: here, or in the instance that is already running."""

"""Decides when to check for a new version, and checks. Checks are off by default, and run at most once a week.
Qt-free."""

from __future__ import annotations

import asyncio
import time
from importlib.metadata import version
from typing import TYPE_CHECKING

from desktop.settings.current_settings import AppSettings

if TYPE_CHECKING:
    from desktop.updates.releases import Release

INTERVAL_S = 7 * 24 * 3600.0
START_DELAY_S = 20.0
"""How long after the start of the app the question is shown or the check runs. The delay keeps both from disturbing the
first message of the user."""


class UpdateChecker:
    """Reads and changes the settings about updates, and checks for a new version. Event loop thread only."""

    def __init__(self, settings: AppSettings) -> None:
        self._settings = settings

    @property
    def is_enabled(self) -> bool:
        return self._settings.value.updates == "on"

    @property
    def is_due(self) -> bool:
        return self.is_enabled and time.time() - self._settings.value.updates_looked_at >= INTERVAL_S

    @property
    def was_never_asked(self) -> bool:
        """Whether the user was not yet asked to allow checks."""
        return self._settings.value.updates == "unasked"

    def set_enabled(self, enabled: bool) -> None:
        self._settings.change(updates="on" if enabled else "off")

    async def newer_release(self) -> Release | None:
        """The newest release, if it is newer than this version; else None. Raises UpdateCheckError."""
        from desktop.updates.releases import (
            newer_release,
        )  # imported here, because it imports an HTTP client and is rarely needed

        release = await asyncio.to_thread(newer_release, version("inglenook"))
        self._settings.change(updates_looked_at=time.time())
        return release

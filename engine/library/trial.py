"""The trial of a model file before it is loaded, off the engine's loop."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from engine.library.load_trial import LoadTrial


class Trial:
    """Belongs to the engine's loop. `cancelled` may be set on any thread, and ends it."""

    def __init__(self, probe: LoadTrial | None, cancelled: threading.Event) -> None:
        self._probe = probe
        self._cancelled = cancelled

    async def run(self, path: Path) -> None:
        """Does nothing without a probe. Raises what `LoadTrial.check` does."""
        if self._probe is None:
            return
        try:
            await asyncio.to_thread(self._probe.check, path, self._cancelled.is_set)
        except BaseException:
            self._cancelled.set()  # where our task was cancelled, the thread goes on
            raise

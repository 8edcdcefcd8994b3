"""Random disturbances of the app: another process that uses a core, a change of the model, a full disk."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from desktop.store.store import Store
from tests.soak.soaked_app import SoakedApp, until

DISK_FULL_S = 4.0
LOAD_TIMEOUT_S = 90.0


class Disturbances:
    def __init__(self, app: SoakedApp, models: tuple[Path, ...], rng: random.Random) -> None:
        self._app = app
        self._models = models
        self._rng = rng
        self.done: dict[str, int] = {}
        self.model_lock = asyncio.Lock()
        """This lock is held while the model is changed."""

    async def run(self) -> None:
        """Disturbs the app at random intervals, until this task is cancelled."""
        while True:
            await asyncio.sleep(self._rng.uniform(3, 12))
            for name, disturb in (
                ("busy process", self._busy_process),
                ("model change", self._change_model),
                ("full disk", self._full_disk),
            ):
                if self._rng.random() < 0.4:
                    self.done[name] = self.done.get(name, 0) + 1
                    await disturb()

    async def load(self, path: Path) -> None:
        """Loads a model through the file dialog."""
        window = self._app.window
        window.chat_page.greeting.model_file_requested.emit()
        dialog = next(each for each in window.findChildren(QFileDialog) if each.isVisible())
        dialog.fileSelected.emit(str(path))
        dialog.close()
        await asyncio.sleep(0.2)
        await until(lambda: self._app.is_ready, LOAD_TIMEOUT_S)

    async def _change_model(self) -> None:
        async with self.model_lock:
            await self.load(self._rng.choice(self._models))

    async def _busy_process(self) -> None:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", "while True: pass")
        try:
            await asyncio.sleep(self._rng.uniform(2, 10))
        finally:
            process.kill()
            await process.wait()

    async def _full_disk(self) -> None:
        store = self._app.store
        try:
            await store._call(limit_pages, store, 1)
            await asyncio.sleep(DISK_FULL_S)
        finally:
            await store._call(limit_pages, store, 1_000_000)


def limit_pages(store: Store, n: int) -> None:
    """Limits the size of the database file. For SQLite this has the same effect as a full disk."""
    store._sql(f"PRAGMA max_page_count = {n}")

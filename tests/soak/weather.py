"""What goes on around the app: a busy neighbour, another model, a full disk."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from desktop.store.store import Store
from tests.soak.house import House, until

FULL_S = 4.0
SWAP_S = 90.0


class Weather:
    def __init__(self, house: House, models: tuple[Path, ...], chance: random.Random) -> None:
        self._house = house
        self._models = models
        self._chance = chance
        self.done: dict[str, int] = {}
        self.exchange = asyncio.Lock()
        """One model at a time is exchanged."""

    async def live(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(self._chance.uniform(3, 12))
            for name, act in (("neighbour", self._neighbour), ("swap", self._swap), ("full disk", self._full_disk)):
                if self._chance.random() < 0.4:
                    self.done[name] = self.done.get(name, 0) + 1
                    await act()

    async def load(self, path: Path) -> None:
        """Through the dialog that a person gets."""
        window = self._house.window
        window.chat_page.greeting.model_file_requested.emit()
        dialog = next(each for each in window.findChildren(QFileDialog) if each.isVisible())
        dialog.fileSelected.emit(str(path))
        dialog.close()
        await asyncio.sleep(0.2)
        await until(lambda: self._house.ready, SWAP_S)

    async def _swap(self) -> None:
        async with self.exchange:
            await self.load(self._chance.choice(self._models))

    async def _neighbour(self) -> None:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", "while True: pass")
        try:
            await asyncio.sleep(self._chance.uniform(2, 10))
        finally:
            process.kill()
            await process.wait()

    async def _full_disk(self) -> None:
        store = self._house.store
        try:
            await store._call(limit_pages, store, 1)
            await asyncio.sleep(FULL_S)
        finally:
            await store._call(limit_pages, store, 1_000_000)


def limit_pages(store: Store, n: int) -> None:
    """A file that may not grow is what a full disk looks like to SQLite."""
    store._sql(f"PRAGMA max_page_count = {n}")

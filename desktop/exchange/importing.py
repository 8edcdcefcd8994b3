"""Chats from a file into the store, while the window goes on."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from desktop.exchange import errors, own
from desktop.exchange.packaged import reader_command
from desktop.exchange.records import Exchanged
from desktop.store.store import Store

BATCH = 16
"""Chats of one transaction: few enough that what a person writes meanwhile waits for no more than a moment."""


@dataclass(frozen=True, slots=True)
class Imported:
    """How many chats came in, and how many were there already and were left as they are."""

    n_new: int = 0
    n_known: int = 0


class Importer:
    """`progressed` hears of each batch. Loop's thread only."""

    def __init__(
        self,
        store: Store,
        progressed: Callable[[Imported], None],
        command: Callable[[Path], list[str]] = reader_command,
    ) -> None:
        self._store = store
        self._progressed = progressed
        self._command = command

    async def run(self, path: Path) -> Imported:
        """Raises ExchangeError, StoreError; what came in before stays. Cancelling ends the reader at once."""
        loop = asyncio.get_running_loop()
        reader = await asyncio.to_thread(self._start, path)
        so_far = Imported()
        batches = _batches(reader)
        try:
            while (batch := await loop.run_in_executor(None, next, batches, None)) is not None:
                folders = {each.folder.id: each.folder for each in batch if each.folder is not None}
                chats = [(each.chat, each.messages) for each in batch]
                n_new = await self._store.add_chats(chats, list(folders.values()))
                so_far = Imported(so_far.n_new + n_new, so_far.n_known + len(batch) - n_new)
                self._progressed(so_far)
        finally:
            reader.kill()
            await asyncio.to_thread(_end, reader)
        return so_far

    def _start(self, path: Path) -> subprocess.Popen[str]:
        root = Path(__file__).resolve().parents[2]
        return subprocess.Popen(
            self._command(path), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, encoding="utf-8", cwd=root
        )


def _end(reader: subprocess.Popen[str]) -> None:
    with reader:  # closes the pipe and waits
        pass


def _batches(reader: subprocess.Popen[str]) -> Iterator[tuple[Exchanged, ...]]:
    """Pool thread, one call at a time."""
    assert reader.stdout is not None
    chats = map(_of_line, reader.stdout)
    while batch := tuple(islice(chats, BATCH)):
        yield batch
    if reader.wait():
        raise errors.Unreadable("", f"the reader ended with {reader.returncode}")


def _of_line(line: str) -> Exchanged:
    if not line.startswith("["):
        return own.of_line(line)
    kind, name, reason = json.loads(line)
    raise {"NotRecognised": errors.NotRecognised, "Unreadable": errors.Unreadable}[kind](name, reason)

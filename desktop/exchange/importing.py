"""Chats from a file into the store, while the window goes on."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from desktop.exchange import errors, own
from desktop.exchange.packaged import reader_command
from desktop.exchange.records import Exchanged, Piece
from desktop.store.records import Folder
from desktop.store.store import Store

BATCH = 16
"""Chats of one transaction: few enough that what a person writes meanwhile waits for no more than a moment."""


@dataclass(frozen=True, slots=True)
class Imported:
    """How many chats came in, how many were there already and were left as they are, and how many folders came in
    without a chat."""

    n_new: int = 0
    n_known: int = 0
    n_folders: int = 0

    def __add__(self, more: Imported) -> Imported:
        return Imported(self.n_new + more.n_new, self.n_known + more.n_known, self.n_folders + more.n_folders)


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
                so_far += await self._take(batch)
                self._progressed(so_far)
        finally:
            reader.kill()
            await asyncio.to_thread(_end, reader)
        return so_far

    async def _take(self, batch: Sequence[Piece]) -> Imported:
        chats = [each for each in batch if isinstance(each, Exchanged)]
        folders = {each.folder.id: each.folder for each in chats if each.folder is not None}
        n_new = await self._store.add_chats([(each.chat, each.messages) for each in chats], list(folders.values()))
        n_folders = await self._store.add_folders(*(each for each in batch if isinstance(each, Folder)))
        return Imported(n_new, len(chats) - n_new, n_folders)

    def _start(self, path: Path) -> subprocess.Popen[str]:
        root = Path(__file__).resolve().parents[2]
        return subprocess.Popen(
            self._command(path), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, encoding="utf-8", cwd=root
        )


def _end(reader: subprocess.Popen[str]) -> None:
    with reader:  # closes the pipe and waits
        pass


def _batches(reader: subprocess.Popen[str]) -> Iterator[tuple[Piece, ...]]:
    """Pool thread, one call at a time."""
    assert reader.stdout is not None
    pieces = map(_of_line, reader.stdout)
    while batch := tuple(islice(pieces, BATCH)):
        yield batch
    if reader.wait():
        raise errors.Unreadable("", f"the reader ended with {reader.returncode}")


def _of_line(line: str) -> Piece:
    if not line.startswith("["):
        return own.of_line(line)
    kind, name, reason = json.loads(line)
    raise {"NotRecognised": errors.NotRecognised, "Unreadable": errors.Unreadable}[kind](name, reason)

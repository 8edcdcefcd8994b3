"""Chats from a file into the store, while the window goes on."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.child_memory import memory_of
from desktop.exchange import errors, own
from desktop.exchange.limits import TOO_LARGE, memory_for
from desktop.exchange.packaged import reader_command
from desktop.exchange.records import Exchanged, Piece, Unread
from desktop.store.errors import StoreRefused
from desktop.store.records import Folder
from desktop.store.store import Store
from desktop.surrogates import well_formed

log = logging.getLogger(__name__)

BATCH = 16
"""Chats of one transaction: few enough that what a person writes meanwhile waits for no more than a moment."""

NAMES = 3
"""So many of the chats that could not be read are named."""

WATCH_S = 0.1


@dataclass(frozen=True, slots=True)
class Imported:
    """How many chats came in, how many were there already and were left as they are, how many folders came in
    without a chat, and how many chats, and messages of the others, could not be read. `names` are those of the
    first chats that could not."""

    n_new: int = 0
    n_known: int = 0
    n_folders: int = 0
    n_unread: int = 0
    n_messages_unread: int = 0
    names: tuple[str, ...] = ()

    def __add__(self, more: Imported) -> Imported:
        return Imported(
            self.n_new + more.n_new,
            self.n_known + more.n_known,
            self.n_folders + more.n_folders,
            self.n_unread + more.n_unread,
            self.n_messages_unread + more.n_messages_unread,
            (*self.names, *more.names)[:NAMES],
        )


class Importer:
    """`progressed` gets the sum after each batch. Loop's thread only."""

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
        watch = asyncio.ensure_future(_end_beyond(reader, await asyncio.to_thread(memory_for, path)))
        so_far = Imported()
        batches = _batches(reader)
        try:
            while (batch := await loop.run_in_executor(None, next, batches, None)) is not None:
                so_far += await self._take(batch)
                self._progressed(so_far)
        except errors.Unreadable as error:
            if watch.done() and not watch.cancelled():
                raise errors.Unreadable(well_formed(path.name), TOO_LARGE) from error
            raise
        finally:
            watch.cancel()
            reader.kill()
            await asyncio.to_thread(_end, reader)
        return so_far

    async def _take(self, batch: Sequence[Piece]) -> Imported:
        chats = [each for each in batch if isinstance(each, Exchanged)]
        unread = [each.name for each in batch if isinstance(each, Unread)]
        try:
            taken = await self._add(chats)
        except StoreRefused:  # a value that the reader let pass: one chat at a time, so that it costs no other
            taken = Imported()
            for each in chats:
                try:
                    taken += await self._add([each])
                except StoreRefused as error:
                    log.exception("a chat was refused by the store", exc_info=error)
                    unread.append(each.chat.title)
        n_folders = await self._store.add_folders(*(each for each in batch if isinstance(each, Folder)))
        named = tuple(name for name in unread if name)
        return taken + Imported(n_folders=n_folders, n_unread=len(unread), names=named)

    async def _add(self, chats: Sequence[Exchanged]) -> Imported:
        folders = {each.folder.id: each.folder for each in chats if each.folder is not None}
        n_new = await self._store.add_chats([(each.chat, each.messages) for each in chats], list(folders.values()))
        n_messages_unread = sum(each.n_unread for each in chats)
        return Imported(n_new, len(chats) - n_new, n_messages_unread=n_messages_unread)

    def _start(self, path: Path) -> subprocess.Popen[str]:
        root = Path(__file__).resolve().parents[2]
        return subprocess.Popen(
            self._command(path), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, encoding="utf-8", cwd=root
        )


async def _end_beyond(reader: subprocess.Popen[str], n_bytes: int) -> None:
    """Returns when the reader took more memory than that, and was ended for it."""
    while await asyncio.to_thread(memory_of, reader.pid) <= n_bytes:  # noqa: ASYNC110 -- a process has no event
        await asyncio.sleep(WATCH_S)
    reader.kill()


def _end(reader: subprocess.Popen[str]) -> None:
    with reader:  # closes the pipe and waits
        pass


def _batches(reader: subprocess.Popen[str]) -> Iterator[tuple[Piece, ...]]:
    """Pool thread, one call at a time. What the reader wrote before an error comes before that is raised."""
    assert reader.stdout is not None
    failure: errors.ExchangeError | None = None
    batch: list[Piece] = []
    for line in reader.stdout:
        if line.startswith("["):
            failure = _error(line)
            break
        batch.append(own.of_line(line))
        if len(batch) == BATCH:
            yield tuple(batch)
            batch = []
    if batch:
        yield tuple(batch)
    if failure is not None:
        raise failure
    if reader.wait():
        raise errors.Unreadable("", f"the reader ended with {reader.returncode}")


def _error(line: str) -> errors.ExchangeError:
    kind, name, reason = json.loads(line)
    return {"NotRecognised": errors.NotRecognised, "Unreadable": errors.Unreadable}[kind](name, reason)

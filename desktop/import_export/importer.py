"""Chats from a file into the store, while the window goes on."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.import_export import errors
from desktop.import_export.formats import inglenook
from desktop.import_export.memory_limits import TOO_LARGE, memory_for
from desktop.import_export.reader_process import reader_command
from desktop.import_export.records import ImportItem, PortableChat, UnreadableChat
from desktop.platform.child_memory import memory_of
from desktop.platform.surrogates import well_formed
from desktop.store.errors import StoreRefused
from desktop.store.records import Folder
from desktop.store.store import Store

log = logging.getLogger(__name__)

BATCH_SIZE = 16
"""Chats of one transaction: few enough that what a person writes meanwhile waits for no more than a moment."""

MAX_NAMES = 3
"""So many of the chats that could not be read are named."""

MEMORY_CHECK_S = 0.1


@dataclass(frozen=True, slots=True)
class ImportResult:
    """How many chats came in, how many were there already and were left as they are, how many folders came in
    without a chat, and how many chats, and messages of the others, could not be read. `names` are those of the
    first chats that could not."""

    n_new: int = 0
    n_known: int = 0
    n_folders: int = 0
    n_unread: int = 0
    n_messages_unread: int = 0
    names: tuple[str, ...] = ()

    def __add__(self, more: ImportResult) -> ImportResult:
        return ImportResult(
            self.n_new + more.n_new,
            self.n_known + more.n_known,
            self.n_folders + more.n_folders,
            self.n_unread + more.n_unread,
            self.n_messages_unread + more.n_messages_unread,
            (*self.names, *more.names)[:MAX_NAMES],
        )


class Importer:
    """`progressed` gets the sum after each batch. Loop's thread only."""

    def __init__(
        self,
        store: Store,
        progressed: Callable[[ImportResult], None],
        command: Callable[[Path], list[str]] = reader_command,
    ) -> None:
        self._store = store
        self._progressed = progressed
        self._command = command

    async def run(self, path: Path) -> ImportResult:
        """Raises ImportExportError, StoreError; what came in before stays. Cancelling ends the reader at once."""
        loop = asyncio.get_running_loop()
        reader = await asyncio.to_thread(self._start, path)
        watch = asyncio.ensure_future(_kill_above_memory(reader, await asyncio.to_thread(memory_for, path)))
        so_far = ImportResult()
        batches = _batches(reader)
        try:
            while (batch := await loop.run_in_executor(None, next, batches, None)) is not None:
                so_far += await self._take(batch)
                self._progressed(so_far)
        except errors.UnreadableFile as error:
            if watch.done() and not watch.cancelled():
                raise errors.UnreadableFile(well_formed(path.name), TOO_LARGE) from error
            raise
        finally:
            watch.cancel()
            reader.kill()
            await asyncio.to_thread(_end, reader)
        return so_far

    async def _take(self, batch: Sequence[ImportItem]) -> ImportResult:
        chats = [each for each in batch if isinstance(each, PortableChat)]
        unread = [each.name for each in batch if isinstance(each, UnreadableChat)]
        try:
            taken = await self._add(chats)
        except StoreRefused:  # a value that the reader let pass: one chat at a time, so that it costs no other
            taken = ImportResult()
            for each in chats:
                try:
                    taken += await self._add([each])
                except StoreRefused as error:
                    log.exception("a chat was refused by the store", exc_info=error)
                    unread.append(each.chat.title)
        n_folders = await self._store.add_folders(*(each for each in batch if isinstance(each, Folder)))
        named = tuple(name for name in unread if name)
        return taken + ImportResult(n_folders=n_folders, n_unread=len(unread), names=named)

    async def _add(self, chats: Sequence[PortableChat]) -> ImportResult:
        folders = {each.folder.id: each.folder for each in chats if each.folder is not None}
        n_new = await self._store.add_chats([(each.chat, each.messages) for each in chats], list(folders.values()))
        n_messages_unread = sum(each.n_unread for each in chats)
        return ImportResult(n_new, len(chats) - n_new, n_messages_unread=n_messages_unread)

    def _start(self, path: Path) -> subprocess.Popen[str]:
        root = Path(__file__).resolve().parents[2]
        return subprocess.Popen(
            self._command(path), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, encoding="utf-8", cwd=root
        )


async def _kill_above_memory(reader: subprocess.Popen[str], n_bytes: int) -> None:
    """Returns when the reader took more memory than that, and was ended for it."""
    while await asyncio.to_thread(memory_of, reader.pid) <= n_bytes:  # noqa: ASYNC110 -- a process has no event
        await asyncio.sleep(MEMORY_CHECK_S)
    reader.kill()


def _end(reader: subprocess.Popen[str]) -> None:
    with reader:  # closes the pipe and waits
        pass


def _batches(reader: subprocess.Popen[str]) -> Iterator[tuple[ImportItem, ...]]:
    """Pool thread, one call at a time. What the reader wrote before an error comes before that is raised."""
    assert reader.stdout is not None
    failure: errors.ImportExportError | None = None
    batch: list[ImportItem] = []
    for line in reader.stdout:
        if line.startswith("["):
            failure = _error(line)
            break
        batch.append(inglenook.from_line(line))
        if len(batch) == BATCH_SIZE:
            yield tuple(batch)
            batch = []
    if batch:
        yield tuple(batch)
    if failure is not None:
        raise failure
    if reader.wait():
        raise errors.UnreadableFile("", f"the reader ended with {reader.returncode}")


def _error(line: str) -> errors.ImportExportError:
    kind, name, reason = json.loads(line)
    return {"UnknownFormat": errors.UnknownFormat, "UnreadableFile": errors.UnreadableFile}[kind](name, reason)

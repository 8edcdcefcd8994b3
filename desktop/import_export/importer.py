"""Imports chats from files into the store. A child process reads the files."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from desktop.import_export.errors import ImportExportError, Problem, UnknownFormat, UnreadableFile
from desktop.import_export.formats import inglenook
from desktop.import_export.reader_process import memory_limit, reader_command
from desktop.import_export.records import ImportItem, PortableChat, UnreadableChat
from desktop.platform.child_memory import memory_of
from desktop.platform.surrogates import well_formed
from desktop.store.errors import StoreRefused
from desktop.store.records import Folder
from desktop.store.store import Store

log = logging.getLogger(__name__)

BATCH_SIZE = 16
"""Number of chats per transaction. It is small, so that an import does not noticeably delay the saving of a message."""

MAX_NAMES = 3
"""Maximum number of unreadable chats whose names are in the result of an import."""

MEMORY_CHECK_S = 0.1


@dataclass(frozen=True, slots=True)
class ImportResult:
    n_new: int = 0
    """Number of imported chats."""
    n_known: int = 0
    """Number of chats that existed already. They are not changed."""
    n_folders: int = 0
    """Number of imported empty folders."""
    n_unread: int = 0
    """Number of chats that could not be read."""
    n_messages_unread: int = 0
    """Number of messages that could not be read. Messages of unreadable chats are not counted."""
    names: tuple[str, ...] = ()
    """Names of the first `MAX_NAMES` unreadable chats."""

    def __add__(self, other: ImportResult) -> ImportResult:
        counts = (getattr(self, each.name) + getattr(other, each.name) for each in fields(self)[:-1])
        return replace(ImportResult(*counts), names=(*self.names, *other.names)[:MAX_NAMES])


class Importer:
    """Imports files into a store. After each batch of chats, `progressed` is called with the result so far. Event loop
    thread only."""

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
        """Imports a file or folder. Raises ImportExportError or StoreError; chats imported before the error are kept.
        Cancelling kills the reader process."""
        loop = asyncio.get_running_loop()
        reader = await asyncio.to_thread(self._start, path)
        watch = asyncio.ensure_future(_kill_above_memory(reader, await asyncio.to_thread(memory_limit, path)))
        so_far = ImportResult()
        batches = _batches(reader)
        try:
            while (batch := await loop.run_in_executor(None, next, batches, None)) is not None:
                so_far += await self._import_batch(batch)
                self._progressed(so_far)
        except UnreadableFile as error:
            if watch.done() and not watch.cancelled():
                raise UnreadableFile(well_formed(path.name), Problem.TOO_LARGE) from error
            raise
        finally:
            watch.cancel()
            reader.kill()
            await asyncio.to_thread(_end, reader)
        return so_far

    async def _import_batch(self, batch: Sequence[ImportItem]) -> ImportResult:
        chats = [each for each in batch if isinstance(each, PortableChat)]
        unread = [each.name for each in batch if isinstance(each, UnreadableChat)]
        try:
            added = await self._add(chats)
        except StoreRefused:  # retry one by one, so that only the rejected chat is lost
            added = ImportResult()
            for each in chats:
                try:
                    added += await self._add([each])
                except StoreRefused as error:
                    log.exception("the store rejected an imported chat", exc_info=error)
                    unread.append(each.chat.title)
        n_folders = await self._store.add_folders(*(each for each in batch if isinstance(each, Folder)))
        named = tuple(name for name in unread if name)
        return added + ImportResult(n_folders=n_folders, n_unread=len(unread), names=named)

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
    """Waits until the reader process uses more than `n_bytes` of memory, and then kills it."""
    while await asyncio.to_thread(memory_of, reader.pid) <= n_bytes:  # noqa: ASYNC110 -- no event signals memory use
        await asyncio.sleep(MEMORY_CHECK_S)
    reader.kill()


def _end(reader: subprocess.Popen[str]) -> None:
    with reader:  # closes the pipe and waits for the process
        pass


def _batches(reader: subprocess.Popen[str]) -> Iterator[tuple[ImportItem, ...]]:
    """Yields what the reader process writes, in batches. Then raises the error that ended the process, if any.

    Each call of `next` runs on a pool thread. The calls do not overlap."""
    assert reader.stdout is not None
    failure: ImportExportError | None = None
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
        log.error("the reader process ended with %s", reader.returncode)
        raise UnreadableFile("", Problem.READER_CRASHED)


def _error(line: str) -> ImportExportError:
    kind, name, reason = json.loads(line)
    error_class = {"UnknownFormat": UnknownFormat, "UnreadableFile": UnreadableFile}[kind]
    return error_class(name, Problem(reason) if reason in list(Problem) else reason)

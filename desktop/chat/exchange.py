"""Chats that come in from files and go out to them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Signal

from desktop.chat.tree import Conversation
from desktop.exchange import own
from desktop.exchange.backup import stage_restore, write_backup
from desktop.exchange.errors import ExchangeError, Unreadable
from desktop.exchange.importing import Imported, Importer
from desktop.exchange.pdf import write_pdf
from desktop.exchange.records import Exchanged
from desktop.exchange.writing import html, markdown
from desktop.store.errors import StoreError
from desktop.store.records import Chat, Folder, Role
from desktop.store.store import Store
from desktop.tasks import TaskSet
from engine.library.profile import Profile

Format = Literal["md", "html", "pdf", "json"]


class ExchangeController(QObject):
    """One import at a time. GUI thread only.

    `names` gives the heading of each side; `style` the style sheet of an exported page."""

    progressed = Signal(object)
    """An `Imported`, so far."""
    imported = Signal(object)
    export_began = Signal(str)
    """The name of a file that is being written; `exported`, `export_cancelled` or `failed` follows."""
    export_cancelled = Signal()
    exported = Signal(str)
    """The name of the file that was written."""
    staged = Signal(object)
    """When the backup was made that the next start brings back."""
    failed = Signal(object)

    def __init__(self, profile: Profile, store: Store, names: Callable[[Role], str], style: Callable[[], str]) -> None:
        super().__init__()
        self._profile = profile
        self._store = store
        self._names = names
        self._style = style
        self._tasks = TaskSet(lambda error, _: self.failed.emit(error))
        self._importing: asyncio.Task[object] | None = None
        self._exporting: dict[asyncio.Task[object], threading.Event] = {}
        """What is being written to files, each with what makes it leave no file behind."""

    @property
    def importing(self) -> bool:
        return self._importing is not None and not self._importing.done()

    def import_from(self, path: Path) -> None:
        """A file or a folder. What came in stays, whatever happens then."""
        if not self.importing:
            self._importing = self._tasks.spawn(self._import(path), "bring chats in")

    def cancel_import(self) -> None:
        if self._importing is not None:
            self._importing.cancel()

    def export(self, chat: Chat, path: Path, form: Format) -> None:
        """The branch that is shown; as JSON, everything."""
        self._start_export([chat], path, form)

    def export_several(self, chats: Sequence[Chat], path: Path) -> None:
        """Everything of these, as JSON."""
        self._start_export(chats, path, "json")

    def export_all(self, path: Path) -> None:
        """Everything of every chat, and the folders that are empty, as JSON."""
        self._start_export(None, path, "json")

    def cancel_export(self) -> None:
        """Of all that is being written; a file that stood there before stays."""
        for task, cancelled in self._exporting.items():
            cancelled.set()
            task.cancel()

    def _start_export(self, chats: Sequence[Chat] | None, path: Path, form: Format) -> None:
        cancelled = threading.Event()
        task = self._tasks.spawn(self._export(chats, path, form, cancelled), "save chats to a file")
        self._exporting[task] = cancelled
        task.add_done_callback(self._export_ended)
        self.export_began.emit(path.name)

    def _export_ended(self, task: asyncio.Task[object]) -> None:
        del self._exporting[task]
        if task.cancelled():
            self.export_cancelled.emit()

    def back_up(self, path: Path) -> None:
        self._tasks.spawn(self._back_up(path), "back up the profile")

    def restore(self, path: Path) -> None:
        """At the next start."""
        self._tasks.spawn(self._restore(path), "lay a backup ready")

    async def aclose(self) -> None:
        """Ends an import that is under way; finishes what is being written. Idempotent."""
        self.cancel_import()
        await self._tasks.join()

    async def _back_up(self, path: Path) -> None:
        try:
            await asyncio.to_thread(write_backup, self._profile, path)
            self.exported.emit(path.name)
        except ExchangeError as error:
            self.failed.emit(error)

    async def _restore(self, path: Path) -> None:
        try:
            self.staged.emit(await asyncio.to_thread(stage_restore, self._profile, path))
        except ExchangeError as error:
            self.failed.emit(error)

    async def _import(self, path: Path) -> None:
        try:
            self.imported.emit(await Importer(self._store, self.progressed.emit).run(path))
        except (ExchangeError, StoreError) as error:
            self.failed.emit(error)
            self.imported.emit(Imported())

    async def _export(self, chats: Sequence[Chat] | None, path: Path, form: Format, cancelled: threading.Event) -> None:
        try:
            wanted = chats if chats is not None else await self._store.chats()
            folders = {folder.id: folder for folder in await self._store.folders()}
            each = [
                Exchanged(chat, tuple(await self._store.messages(chat.id)), folders.get(chat.folder_id))
                for chat in wanted
            ]
            used = {exchanged.chat.folder_id for exchanged in each}
            empty = [folder for folder in folders.values() if chats is None and folder.id not in used]
            await asyncio.to_thread(self._write, each, empty, path, form, cancelled)
        except StoreError as error:
            self.failed.emit(error)
        except OSError as error:
            self.failed.emit(Unreadable(path.name, error.strerror or str(error)))
        else:
            self.exported.emit(path.name)

    def _write(
        self,
        chats: Sequence[Exchanged],
        empty: Sequence[Folder],
        path: Path,
        form: Format,
        cancelled: threading.Event,
    ) -> None:
        """Pool thread. The file is there whole or not at all."""
        part = path.with_name(path.name + ".part")
        try:
            if form == "pdf":
                write_pdf(self._text(chats, (), "html"), chats[0].chat.title, part)
            else:
                part.write_text(self._text(chats, empty, form), encoding="utf-8")
            if not cancelled.is_set():
                part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def _text(self, chats: Sequence[Exchanged], empty: Sequence[Folder], form: Format) -> str:
        if form == "json":
            return own.document(chats, empty)
        (each,) = chats
        branch = Conversation(each.messages, each.chat.leaf_id).branch()
        if form == "md":
            return markdown(each.chat, branch, self._names)
        return html(each.chat, branch, self._names, self._style())

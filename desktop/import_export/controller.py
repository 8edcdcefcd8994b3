"""Chats that come in from files and go out to them."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Signal

from desktop.chat.conversation import Conversation
from desktop.import_export.backup import cancel_restore, stage_restore, write_backup
from desktop.import_export.errors import ImportExportError, UnreadableFile
from desktop.import_export.formats import inglenook
from desktop.import_export.html_export import html, markdown, paper
from desktop.import_export.importer import Importer, ImportResult
from desktop.import_export.pdf_export import write_pdf
from desktop.import_export.records import PortableChat
from desktop.import_export.restore import is_restore_staged
from desktop.platform.surrogates import well_formed
from desktop.platform.task_set import TaskSet
from desktop.store.errors import StoreError
from desktop.store.records import Chat, ChatMessage, Folder, Role
from desktop.store.store import Store
from engine.files.atomic_write import atomic_replace
from engine.files.profile import Profile

log = logging.getLogger(__name__)

Format = Literal["md", "html", "pdf", "json"]


class ImportExportController(QObject):
    """One import at a time. GUI thread only.

    `names` gives the heading of each side; `style` the style sheet of an exported page, `paper_style` that of a
    PDF."""

    progressed = Signal(object)
    """An `ImportResult`, so far."""
    imported = Signal(object)
    """An `ImportResult`, when the import has ended, failed or was cancelled."""
    export_started = Signal(str)
    """The name of a file that is being written; `exported`, `export_cancelled` or `failed` follows."""
    export_cancelled = Signal()
    exported = Signal(str)
    """The name of the file that was written."""
    staged = Signal(object)
    """When the backup was made that the next start brings back."""
    restore_cancelled = Signal()
    failed = Signal(object)

    def __init__(
        self,
        profile: Profile,
        store: Store,
        names: Callable[[Role], str],
        style: Callable[[], str],
        paper_style: Callable[[], str],
    ) -> None:
        super().__init__()
        self._profile = profile
        self._store = store
        self._names = names
        self._style = style
        self._paper_style = paper_style
        self._tasks = TaskSet(self._report)
        self._importing: asyncio.Task[object] | None = None
        self._result = ImportResult()
        self._exporting: dict[asyncio.Task[object], threading.Event] = {}
        """Running exports, each with the event that prevents it from replacing the file."""

    @property
    def importing(self) -> bool:
        return self._importing is not None and not self._importing.done()

    def import_from(self, path: Path) -> None:
        """A file or a folder. What came in stays, whatever happens then."""
        if not self.importing:
            self._result = ImportResult()
            self._importing = self._tasks.spawn(self._import(path), "bring chats in")
            self._importing.add_done_callback(self._import_ended)

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
        """Cancels all exports; files that existed before are not changed."""
        for task, cancelled in self._exporting.items():
            cancelled.set()
            task.cancel()

    def _start_export(self, chats: Sequence[Chat] | None, path: Path, form: Format) -> None:
        cancelled = threading.Event()
        task = self._tasks.spawn(self._export(chats, path, form, cancelled), "save chats to a file")
        self._exporting[task] = cancelled
        task.add_done_callback(self._export_ended)
        self.export_started.emit(well_formed(path.name))

    def _export_ended(self, task: asyncio.Task[object]) -> None:
        del self._exporting[task]
        if task.cancelled():
            self.export_cancelled.emit()

    def back_up(self, path: Path) -> None:
        self._tasks.spawn(self._back_up(path), "back up the profile")

    def restore(self, path: Path) -> None:
        """At the next start."""
        self._tasks.spawn(self._restore(path), "lay a backup ready")

    def cancel_restore(self) -> None:
        """The next start brings no backup back."""
        self._tasks.spawn(self._cancel_restore(), "cancel a restore")

    @property
    def restore_staged(self) -> bool:
        return is_restore_staged(self._profile.root)

    async def aclose(self) -> None:
        """Ends an import that is under way; finishes what is being written. Idempotent."""
        self.cancel_import()
        await self._tasks.join()

    def _report(self, error: BaseException, name: str) -> None:
        log.error("%s failed", name, exc_info=error)
        self.failed.emit(error)

    async def _cancel_restore(self) -> None:
        try:
            await asyncio.to_thread(cancel_restore, self._profile)
            self.restore_cancelled.emit()
        except ImportExportError as error:
            self.failed.emit(error)

    async def _back_up(self, path: Path) -> None:
        try:
            await asyncio.to_thread(write_backup, self._profile, path)
            self.exported.emit(well_formed(path.name))
        except ImportExportError as error:
            self.failed.emit(error)

    async def _restore(self, path: Path) -> None:
        try:
            self.staged.emit(await asyncio.to_thread(stage_restore, self._profile, path))
        except ImportExportError as error:
            self.failed.emit(error)

    async def _import(self, path: Path) -> None:
        try:
            self._result = await Importer(self._store, self._progressed).run(path)
        except (ImportExportError, StoreError) as error:
            log.exception("chats could not be brought in", exc_info=error)
            self.failed.emit(error)

    def _progressed(self, so_far: ImportResult) -> None:
        self._result = so_far
        self.progressed.emit(so_far)

    def _import_ended(self, _: object) -> None:
        """Also called if the task was cancelled before its first step, or raised an unexpected error."""
        self.imported.emit(self._result)

    async def _export(self, chats: Sequence[Chat] | None, path: Path, form: Format, cancelled: threading.Event) -> None:
        try:
            wanted = chats if chats is not None else await self._store.chats()
            folders = {folder.id: folder for folder in await self._store.folders()}
            each = [
                PortableChat(chat, tuple(await self._store.messages(chat.id)), folders.get(chat.folder_id))
                for chat in wanted
            ]
            used = {exchanged.chat.folder_id for exchanged in each}
            empty = [folder for folder in folders.values() if chats is None and folder.id not in used]
            await asyncio.to_thread(self._write, each, empty, path, form, cancelled)
        except StoreError as error:
            self.failed.emit(error)
        except OSError as error:
            self.failed.emit(UnreadableFile(well_formed(path.name), error.strerror or str(error)))
        else:
            self.exported.emit(well_formed(path.name))

    def _write(
        self,
        chats: Sequence[PortableChat],
        empty: Sequence[Folder],
        path: Path,
        form: Format,
        cancelled: threading.Event,
    ) -> None:
        """Pool thread. The file is there whole or not at all."""
        with atomic_replace(path) as part:
            if form == "pdf":
                self._write_pdf(chats, part)
            else:
                part.write_text(self._text(chats, empty, form), encoding="utf-8")
            if cancelled.is_set():
                part.unlink()

    def _write_pdf(self, chats: Sequence[PortableChat], part: Path) -> None:
        """Written in a temporary folder where the path is not UTF-8, because Qt cannot open such a path."""
        (each,) = chats
        page, formulas = paper(each.chat, _branch(each), self._names, self._paper_style())
        title = well_formed(each.chat.title)
        if well_formed(str(part)) == str(part):
            write_pdf(page, formulas, title, part)
            return
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / "chat.pdf"
            write_pdf(page, formulas, title, made)
            shutil.copyfile(made, part)

    def _text(self, chats: Sequence[PortableChat], empty: Sequence[Folder], form: Format) -> str:
        if form == "json":
            return well_formed(inglenook.document(chats, empty))
        (each,) = chats
        if form == "md":
            return markdown(each.chat, _branch(each), self._names)
        return html(each.chat, _branch(each), self._names, self._style())


def _branch(each: PortableChat) -> Sequence[ChatMessage]:
    """The messages that are shown."""
    return Conversation(each.messages, each.chat.leaf_id).branch()

"""Runs imports, exports, backups and restores in the background and reports their progress as signals."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop.import_export.backup import cancel_restore, stage_restore, write_backup
from desktop.import_export.errors import ImportExportError, file_error
from desktop.import_export.exporter import Exporter, Format
from desktop.import_export.importer import Importer, ImportResult
from desktop.import_export.records import PortableChat
from desktop.import_export.restore import is_restore_staged
from desktop.platform.surrogates import well_formed
from desktop.platform.task_set import TaskSet
from desktop.store.errors import StoreError
from desktop.store.records import Chat
from desktop.store.store import Store
from engine.files.profile import Profile

log = logging.getLogger(__name__)


class ImportExportController(QObject):
    """Runs one import at a time, and any number of exports and backups. GUI thread only."""

    progressed = Signal(object)
    """Emitted after each batch of imported chats. Carries the `ImportResult` so far."""
    imported = Signal(object)
    """Emitted when an import has ended, also by an error or a cancellation. Carries the final `ImportResult`."""
    export_started = Signal(str)
    """An export has started. Carries the name of its file. When the export ends, `exported`, `export_cancelled` or
    `failed` is emitted."""
    export_cancelled = Signal()
    exported = Signal(str)
    """An export or backup file was written. Carries its name."""
    restore_staged = Signal(object)
    """A backup was staged, and is restored at the next start. Carries the time (`datetime`) at which the backup was
    made."""
    restore_cancelled = Signal()
    failed = Signal(object)
    """An import, export, backup or restore failed. Carries the exception."""

    def __init__(self, profile: Profile, store: Store, exporter: Exporter) -> None:
        super().__init__()
        self._profile = profile
        self._store = store
        self._exporter = exporter
        self._tasks = TaskSet(self._report)
        self._importing: asyncio.Task[object] | None = None
        self._result = ImportResult()
        self._exporting: dict[asyncio.Task[object], threading.Event] = {}
        """The running exports, each with an event. If the event is set, the export does not change its target file."""

    @property
    def importing(self) -> bool:
        return self._importing is not None and not self._importing.done()

    def import_from(self, path: Path) -> None:
        """Imports a file or a folder. Does nothing if an import is already running. Chats imported before an error are
        kept."""
        if not self.importing:
            self._result = ImportResult()
            self._importing = self._tasks.spawn(self._import(path), "import chats")
            self._importing.add_done_callback(self._import_ended)

    def cancel_import(self) -> None:
        if self._importing is not None:
            self._importing.cancel()

    def export(self, chat: Chat, path: Path, file_format: Format) -> None:
        """Exports a chat: as JSON with all branches, in other formats only the branch that is shown."""
        self._start_export([chat], path, file_format)

    def export_several(self, chats: Sequence[Chat], path: Path) -> None:
        """Exports the chats as JSON, with all branches."""
        self._start_export(chats, path, "json")

    def export_all(self, path: Path) -> None:
        """Exports all chats with all branches, and the empty folders, as JSON."""
        self._start_export(None, path, "json")

    def cancel_export(self) -> None:
        """Cancels all running exports. Their target files are not changed."""
        for task, cancelled in self._exporting.items():
            cancelled.set()
            task.cancel()

    def _start_export(self, chats: Sequence[Chat] | None, path: Path, file_format: Format) -> None:
        cancelled = threading.Event()
        task = self._tasks.spawn(self._export(chats, path, file_format, cancelled), "export chats")
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
        """Checks a backup and stages it: the files are unpacked into the profile, and the next start of the app
        restores them."""
        self._tasks.spawn(self._restore(path), "stage a restore")

    def cancel_restore(self) -> None:
        """Deletes the staged backup, so that the next start restores nothing."""
        self._tasks.spawn(self._cancel_restore(), "cancel a restore")

    @property
    def is_restore_staged(self) -> bool:
        return is_restore_staged(self._profile.root)

    async def aclose(self) -> None:
        """Cancels the import, and waits for running exports and backups. Idempotent."""
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
            self.restore_staged.emit(await asyncio.to_thread(stage_restore, self._profile, path))
        except ImportExportError as error:
            self.failed.emit(error)

    async def _import(self, path: Path) -> None:
        try:
            self._result = await Importer(self._store, self._progressed).run(path)
        except (ImportExportError, StoreError) as error:
            log.exception("the import failed", exc_info=error)
            self.failed.emit(error)

    def _progressed(self, so_far: ImportResult) -> None:
        self._result = so_far
        self.progressed.emit(so_far)

    def _import_ended(self, _: object) -> None:
        """Emits `imported`. This is a done callback of the task, so that it is also called if the task was cancelled
        before its first step."""
        self.imported.emit(self._result)

    async def _export(
        self, chats: Sequence[Chat] | None, path: Path, file_format: Format, cancelled: threading.Event
    ) -> None:
        try:
            selected = chats if chats is not None else await self._store.chats()
            folders = {folder.id: folder for folder in await self._store.folders()}
            portable = [
                PortableChat(chat, tuple(await self._store.messages(chat.id)), folders.get(chat.folder_id))
                for chat in selected
            ]
            used = {each.chat.folder_id for each in portable}
            empty = [folder for folder in folders.values() if chats is None and folder.id not in used]
            await asyncio.to_thread(self._exporter.write, portable, empty, path, file_format, cancelled)
        except StoreError as error:
            self.failed.emit(error)
        except OSError as error:
            self.failed.emit(file_error(well_formed(path.name), error))
        else:
            self.exported.emit(well_formed(path.name))

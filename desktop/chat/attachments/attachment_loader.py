"""Reads attached files on background threads and counts their tokens."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop.chat import strings
from desktop.chat.attachments.attachment_list import AttachmentList
from desktop.chat.attachments.errors import AttachError
from desktop.chat.attachments.file_reader import FileReader
from desktop.chat.prompt import TokenCounter
from desktop.models.model_controller import ModelController
from desktop.platform.daemon_thread import detached
from desktop.platform.task_set import TaskSet
from desktop.store.records import Attachment
from engine.chat_engine import ChatModel
from engine.errors import EngineError
from engine.redacted_traceback import redacted_traceback

log = logging.getLogger(__name__)

MAX_FILES = 32
MAX_REASONS_SHOWN = 3


class AttachmentLoader(QObject):
    """Fills `list`, the attachments of the draft in the composer. GUI thread only.

    If files cannot be attached, `notify(text)` is called with the reasons."""

    changed = Signal()

    def __init__(
        self, models: ModelController, counter: TokenCounter, tasks: TaskSet, notify: Callable[[str], None]
    ) -> None:
        super().__init__()
        self.list = AttachmentList(lambda: uuid.uuid4().hex)
        self._models, self._counter, self._tasks, self._notify = models, counter, tasks, notify
        self._reader = FileReader()
        self._reading: dict[str, asyncio.Future[Attachment]] = {}
        self._model: ChatModel | None = None
        """The model that counted the tokens of the items."""

    def add(self, paths: Sequence[Path]) -> None:
        """Attach these files. They are read one after the other. An empty list means that a picture was pasted.
        Pictures are rejected."""
        if not paths:
            self._notify(strings.pictures_not_supported())
            return
        n_free = MAX_FILES - len(self.list.items)
        added = [(self.list.add(path.name), path) for path in paths[:n_free]]
        self.changed.emit()
        self._tasks.spawn(self._read(added, too_many=len(paths) > n_free), "read files")

    def remove(self, item_id: str) -> None:
        """Remove an attached file. If it is still being read, cancel the reading."""
        self.list.remove(item_id)
        if (reading := self._reading.get(item_id)) is not None:
            reading.cancel()
        self.changed.emit()

    def show(self, attachments: Sequence[Attachment], *, keep_reading: bool = False) -> None:
        """Show the attachments of another draft. With `keep_reading`, files that are still being read are kept, else
        they are dropped."""
        self.list.show(attachments, keep_reading=keep_reading)
        self.changed.emit()
        self.count()

    def remove_sent(self, sent: Sequence[Attachment]) -> None:
        """Remove the attachments of a sent message. Attachments that were added after sending are kept."""
        self.list.remove_sent(sent)
        self.changed.emit()

    def count(self) -> None:
        """Count the tokens of files that are not counted yet, or that were counted by another model. Does nothing while
        no model is loaded."""
        model = self._models.chat_status.model
        if self._models.chat_status.state != "ready" or model is None:
            return
        if model != self._model:
            self._model = model
            for item in self.list.items:
                self.list.set_n_tokens(item.id, None)
            self.changed.emit()
        for item in self.list.items:
            if item.attachment is not None and item.n_tokens is None:
                self._tasks.spawn(self._count(item.id, item.attachment), "count a file's tokens")

    def close(self) -> None:
        """Cancel the reading of all files, without waiting until it ends. Idempotent."""
        self._reader.close()
        for reading in self._reading.values():
            reading.cancel()

    async def _read(self, added: Sequence[tuple[str, Path]], *, too_many: bool) -> None:
        reasons = [strings.too_many_files(MAX_FILES)] if too_many else []
        for item_id, path in added:
            if item_id not in self.list:  # the user has removed the file or opened another chat
                continue
            reading = self._reading[item_id] = detached("read-file", self._reader.read, path)
            try:
                self.list.set_attachment(item_id, await reading)
            except asyncio.CancelledError:
                if item_id in self.list:
                    raise
            # All errors are caught, because the user cannot send a message while one of its files counts as being read.
            except Exception as error:
                if not isinstance(error, AttachError):
                    log.error("reading a file failed\n%s", redacted_traceback(error))
                reasons.append(strings.attachment_error(error))
                self.list.remove(item_id)
            finally:
                del self._reading[item_id]
            self.changed.emit()
            self.count()
        if reasons:
            n_more = len(reasons) - MAX_REASONS_SHOWN
            more = [strings.more_not_attached(n_more)] if n_more > 0 else []
            self._notify("\n".join(reasons[:MAX_REASONS_SHOWN] + more))

    async def _count(self, item_id: str, attachment: Attachment) -> None:
        try:
            model = self._model
            engine = await self._models.ready()
            n_tokens = await self._counter.attachment(engine, attachment)
        except EngineError:
            return  # The tokens of this file are counted when a model is loaded.
        if model == self._model:
            self.list.set_n_tokens(item_id, n_tokens, is_estimate=self._counter.estimates(engine))
            self.changed.emit()

"""Files on their way into a message: read in a thread of their own, counted by the model, shown as chips."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop.chat import strings
from desktop.chat.attachments.attachment_list import Tray
from desktop.chat.attachments.errors import AttachError
from desktop.chat.attachments.file_reader import Reader
from desktop.chat.prompt import TokenCounter
from desktop.models.model_controller import ModelController
from desktop.platform.daemon_thread import detached
from desktop.platform.task_set import TaskSet
from desktop.store.records import Attachment
from engine.errors import EngineError
from engine.events import ModelInfo
from engine.redacted_traceback import redacted_traceback

log = logging.getLogger(__name__)

MAX_FILES = 32
MAX_REFUSALS_SHOWN = 3


class AttachmentLoader(QObject):
    """`tray` is what goes with the next message. `refuse(sentence)` says why a file does not. GUI thread only."""

    changed = Signal()

    def __init__(
        self, models: ModelController, counter: TokenCounter, tasks: TaskSet, refuse: Callable[[str], None]
    ) -> None:
        super().__init__()
        self.tray = Tray(lambda: uuid.uuid4().hex)
        self._models, self._counter, self._tasks, self._refuse = models, counter, tasks, refuse
        self._reader = Reader()
        self._reading: dict[str, asyncio.Future[Attachment]] = {}
        self._model: ModelInfo | None = None

    def add(self, paths: Sequence[Path]) -> None:
        """Reads these files, one after the other. None at all: a picture was pasted."""
        if not paths:
            self._refuse(strings.no_picture())
            return
        room = MAX_FILES - len(self.tray.items)
        begun = [(self.tray.begin(path.name), path) for path in paths[:room]]
        self.changed.emit()
        self._tasks.spawn(self._read(begun, too_many=len(paths) > room), "read files")

    def remove(self, item_id: str) -> None:
        """Also one that is still being read, or that never will be."""
        self.tray.remove(item_id)
        if (reading := self._reading.get(item_id)) is not None:
            reading.cancel()
        self.changed.emit()

    def show(self, attachments: Sequence[Attachment], *, keep_reading: bool = False) -> None:
        """Those of another draft. What is still being read is kept, or left aside with the draft before."""
        self.tray.show(attachments, keep_reading=keep_reading)
        self.changed.emit()
        self.count()

    def take(self, sent: Sequence[Attachment]) -> None:
        """These went with a message; what was added since stays."""
        self.tray.take(sent)
        self.changed.emit()

    def count(self) -> None:
        """Asks for the tokens of what is not counted, or was counted by another model."""
        model = self._models.status.model
        if self._models.status.state != "ready" or model is None:
            return
        if model != self._model:
            self._model = model
            for item in self.tray.items:
                self.tray.count(item.id, None)
            self.changed.emit()
        waiting = [item for item in self.tray.items if item.attachment is not None and item.n_tokens is None]
        for item in waiting:
            assert item.attachment is not None
            self._tasks.spawn(self._count(item.id, item.attachment), "count a file's tokens")

    def close(self) -> None:
        """Ends what is being read, without waiting for it. Idempotent."""
        self._reader.close()
        for reading in self._reading.values():
            reading.cancel()

    async def _read(self, begun: Sequence[tuple[str, Path]], *, too_many: bool) -> None:
        refusals = [strings.too_many(MAX_FILES)] if too_many else []
        for item_id, path in begun:
            if item_id not in self.tray:  # removed, or another chat was opened
                continue
            reading = self._reading[item_id] = detached("read-file", self._reader.read, path)
            try:
                self.tray.finish(item_id, await reading)
            except asyncio.CancelledError:
                if item_id in self.tray:
                    raise
            except (
                Exception
            ) as error:  # whatever it is: a file that is never read would keep the message from being sent
                if not isinstance(error, AttachError):
                    log.error("reading a file failed\n%s", redacted_traceback(error))
                refusals.append(strings.refused(error))
                self.tray.remove(item_id)
            finally:
                del self._reading[item_id]
            self.changed.emit()
            self.count()
        if refusals:
            n_not_shown = len(refusals) - MAX_REFUSALS_SHOWN
            more = [strings.more_refused(n_not_shown)] if n_not_shown > 0 else []
            self._refuse("\n".join(refusals[:MAX_REFUSALS_SHOWN] + more))

    async def _count(self, item_id: str, attachment: Attachment) -> None:
        try:
            model = self._model
            n_tokens = await self._counter.attachment(await self._models.ready(), attachment)
        except EngineError:
            return  # it is counted when a model is there again
        if model == self._model:
            self.tray.count(item_id, n_tokens)
            self.changed.emit()

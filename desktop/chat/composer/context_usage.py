"""How many tokens the open chat takes together with what is being written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from desktop.chat.composer.drafts import Draft
from desktop.chat.controller import ChatController
from desktop.chat.prompt import TokenCounter
from desktop.models.model_controller import ModelController
from desktop.platform.task_set import TaskSet
from desktop.store.records import ChatMessage, ChatSettings
from engine.errors import EngineError

WAIT_MS = 250

Base = tuple[int, int]
"""Tokens of the chat without what is being written, and turns that are left out of it."""


class ContextUsage(QObject):
    """`show(n_tokens, n_ctx, n_left_out)` puts it on the screen. `draft` is what is being written. GUI thread only."""

    def __init__(
        self,
        chats: ChatController,
        models: ModelController,
        counter: TokenCounter,
        tasks: TaskSet,
        draft: Callable[[], Draft],
        show: Callable[[int, int, int], None],
    ) -> None:
        super().__init__()
        self._chats, self._models, self._counter, self._tasks = chats, models, counter, tasks
        self._draft, self._show = draft, show
        self._bases: dict[object, Base] = {}
        self._changed_at: dict[str, str] = {}
        self._n_draft = 0
        """Tokens of what is being written, as they were counted last."""
        self._task: asyncio.Task[object] | None = None
        self._closed = False
        self._timer = QTimer(self, singleShot=True, interval=WAIT_MS)
        self._timer.timeout.connect(self._start)

    def settings_changed(self) -> None:
        """What the last answer took is no measure any more for the open chat."""
        rows = self._chats.sessions.messages
        if self._chats.sessions.current is not None and len(rows):
            self._changed_at[self._chats.sessions.current.id] = rows[len(rows) - 1].id
        self.recount()

    def show_usage(self) -> None:
        """The open chat's last answer has another length. While it is written, nothing has to be counted for that."""
        base = self._known_base() if self._chats.sessions.answering and not self._closed and self._n_ctx else None
        if base is not None:
            self._show(base[0] + (self._n_draft if self._draft() else 0), self._n_ctx, base[1])
        else:
            self.recount()

    def recount(self) -> None:
        """Counts a little later, once for all that changes until then; shows at once what is known."""
        n_ctx = self._n_ctx
        if self._closed:
            return
        if n_ctx == 0:
            self._show(0, 0, 0)
            return
        base = self._known_base()
        if base is not None and not self._draft():
            self._show(base[0], n_ctx, base[1])
        if not self._closed:
            self._timer.start()

    def close(self) -> None:
        """Counts no more. Idempotent."""
        self._closed = True
        self._timer.stop()

    @property
    def _n_ctx(self) -> int:
        model = self._models.status.model
        return model.n_ctx if model is not None and self._models.status.state == "ready" else 0

    @property
    def _rows(self) -> tuple[ChatMessage, ...]:
        rows = self._chats.sessions.messages
        return tuple(rows[place] for place in range(len(rows)))

    def _known_base(self) -> Base | None:
        """What the last answer took, where the same model would read the same again."""
        model, chat = self._models.status.model, self._chats.sessions.current
        rows = self._chats.sessions.messages
        if model is None or chat is None or not len(rows):
            return None
        last = rows[len(rows) - 1]
        same = last.model_id == model.id and self._changed_at.get(chat.id) != last.id
        return (last.n_prompt + last.n_output, 0) if same and last.n_output else self._bases.get(self._key())

    def _key(self) -> object:
        rows, settings = self._chats.sessions.messages, self._chats.sessions.settings
        model = self._models.status.model
        last = rows[len(rows) - 1].id if len(rows) else ""
        return last, model.id if model else "", settings.system, settings.summary, settings.leaves_out

    def _start(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._task = self._tasks.spawn(self._count(), "count the chat's tokens")

    async def _count(self) -> None:
        n_ctx, draft, settings = self._n_ctx, self._draft(), self._chats.sessions.settings
        if n_ctx == 0:
            return
        try:
            engine = await self._models.ready()
            if not len(self._chats.sessions.messages):
                row = ChatMessage("", "", None, "user", draft.text, "complete", 0.0, attachments=draft.attachments)
                fit = await self._counter.fit(engine, (row,) if draft else (), settings)
                self._show(fit.n_prompt if draft else 0, n_ctx, 0)
                return
            base = self._known_base() or await self._measured_base(settings)
            text = await self._counter.text(engine, draft.text)
        except EngineError:
            return  # the next change of the model's state counts again
        self._n_draft = text + sum(attachment.n_tokens for attachment in draft.attachments)
        self._show(base[0] + self._n_draft, n_ctx, base[1])

    async def _measured_base(self, settings: ChatSettings) -> Base:
        key, rows = self._key(), self._rows
        fit = await self._counter.fit(await self._models.ready(), rows, settings)
        turns = sum(1 for place in fit.left_out if place % 2) if settings.leaves_out else 0
        base = (fit.n_kept if settings.leaves_out else fit.n_prompt, turns)
        if not self._chats.sessions.answering:
            self._bases = {key: base}
        return base

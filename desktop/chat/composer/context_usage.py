"""Counts how many tokens of the context the open chat and the draft use."""

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

DELAY_MS = 250

ChatUsage = tuple[int, int]
"""Number of tokens of a chat without the draft, and number of turns that are left out of its prompt."""


class ContextUsage(QObject):
    """Counts the tokens of the open chat and of the draft after each change. Passes them to `show(n_tokens, n_ctx,
    n_left_out)`. GUI thread only.

    `draft()` returns the content of the composer."""

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
        self._sessions, self._models, self._counter, self._tasks = chats.sessions, models, counter, tasks
        self._draft, self._show = draft, show
        self._counted: dict[object, ChatUsage] = {}
        """The last counted usage. Its key is the value that `_key` returned when the tokens were counted."""
        self._settings_changed_after: dict[str, str] = {}
        """Chats whose settings were changed, by chat id. Each value is the id of the last message at the time of the
        change."""
        self._n_draft = 0
        """Tokens of the draft when they were last counted."""
        self._task: asyncio.Task[object] | None = None
        self._closed = False
        self._timer = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._timer.timeout.connect(self._start)

    def settings_changed(self) -> None:
        """Call this when the settings of the open chat have changed. The usage reported with its last answer is then
        outdated."""
        chat, last = self._sessions.current, self._sessions.messages.last
        if chat is not None and last is not None:
            self._settings_changed_after[chat.id] = last.id
        self.recount()

    def show_answer_usage(self) -> None:
        """Call this when the last answer of the open chat has changed. While the answer is being written, its usage is
        known and shown at once. Otherwise the tokens are counted."""
        usage = self._known_usage() if self._sessions.answering and not self._closed and self._n_ctx else None
        if usage is not None:
            self._show(usage[0] + (self._n_draft if self._draft() else 0), self._n_ctx, usage[1])
        else:
            self.recount()

    def recount(self) -> None:
        """Count the tokens after `DELAY_MS`, once for all changes during this time. Without a draft, a known usage is
        shown at once."""
        if self._closed:
            return
        n_ctx = self._n_ctx
        if n_ctx == 0:
            self._show(0, 0, 0)
            return
        usage = self._known_usage()
        if usage is not None and not self._draft():
            self._show(usage[0], n_ctx, usage[1])
        self._timer.start()

    def close(self) -> None:
        """Stop counting. Idempotent."""
        self._closed = True
        self._timer.stop()

    @property
    def _n_ctx(self) -> int:
        """Context length of the loaded model; 0 while no model is ready."""
        model = self._models.chat_status.model
        return model.n_ctx if model is not None and self._models.chat_status.state == "ready" else 0

    def _known_usage(self) -> ChatUsage | None:
        """Usage reported with the last answer, if the model and the settings have not changed since. Otherwise the
        counted usage. None if no usage is known."""
        model, chat, last = self._models.chat_status.model, self._sessions.current, self._sessions.messages.last
        if model is None or chat is None or last is None:
            return None
        is_current = last.model_id == model.id and self._settings_changed_after.get(chat.id) != last.id
        return (last.n_prompt + last.n_output, 0) if is_current and last.n_output else self._counted.get(self._key())

    def _key(self) -> object:
        """Everything on which the number of tokens of the chat depends. Identifies a counted usage."""
        last, settings, model = self._sessions.messages.last, self._sessions.settings, self._models.chat_status.model
        return last and last.id, model and model.id, settings.system, settings.summary, settings.leaves_out

    def _start(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._task = self._tasks.spawn(self._count(), "count the chat's tokens")

    async def _count(self) -> None:
        n_ctx, draft, settings = self._n_ctx, self._draft(), self._sessions.settings
        if n_ctx == 0:
            return
        try:
            engine = await self._models.ready()
            if self._sessions.messages.last is None:
                row = ChatMessage("", "", None, "user", draft.text, "complete", 0.0, attachments=draft.attachments)
                fit = await self._counter.fit(engine, (row,) if draft else (), settings)
                self._show(fit.n_prompt if draft else 0, n_ctx, 0)
                return
            usage = self._known_usage() or await self._count_chat(settings)
            n_text = await self._counter.text(engine, draft.text)
        except EngineError:
            return  # the tokens are counted when the state of the model changes
        self._n_draft = n_text + sum(attachment.n_tokens for attachment in draft.attachments)
        self._show(usage[0] + self._n_draft, n_ctx, usage[1])

    async def _count_chat(self, settings: ChatSettings) -> ChatUsage:
        key, rows = self._key(), self._sessions.messages.rows
        fit = await self._counter.fit(await self._models.ready(), rows, settings)
        n_turns = sum(1 for place in fit.left_out if place % 2) if settings.leaves_out else 0
        usage = (fit.n_kept if settings.leaves_out else fit.n_prompt, n_turns)
        if not self._sessions.answering:
            self._counted = {key: usage}
        return usage

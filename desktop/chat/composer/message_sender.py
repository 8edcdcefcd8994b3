"""Sends the message in the composer, after checking that it fits into the context."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, Signal

from desktop.chat.answer_source import AnswerSource
from desktop.chat.composer.drafts import NEW_CHAT_KEY, Draft
from desktop.chat.composer.overflow import certainly_fits, find_overflow
from desktop.chat.controller import ChatController
from desktop.chat.prompt import TokenCounter
from desktop.models.model_controller import ModelController
from desktop.platform.task_set import TaskSet
from desktop.store.records import Attachment, ChatMessage, ChatSettings
from engine.errors import EngineClosed, EngineError


class MessageSender(QObject):
    """Sends the content of the composer, which `draft()` returns. GUI thread only.

    If the user opens another chat while a message is being checked, the message is still sent in its own chat, provided
    that it fits."""

    sent = Signal(str, object)
    """Emitted with the key of a chat and the `Draft` that was sent in this chat. The chat need not be open."""
    overflowed = Signal(object)
    """Emitted with an `Overflow` if the message in the open chat does not fit. The message was not sent."""
    not_sent = Signal(str)
    """Emitted if a message does not fit and its chat is no longer open. The argument is the key of this chat, in which
    the message stays as a draft."""
    checking_changed = Signal(bool)
    """Emitted with True while the message of the open chat is being checked, else with False."""

    def __init__(
        self,
        chats: ChatController,
        models: ModelController,
        counter: TokenCounter,
        tasks: TaskSet,
        draft: Callable[[], Draft],
    ) -> None:
        super().__init__()
        self._chats, self._models, self._counter, self._tasks = chats, models, counter, tasks
        self._draft = draft
        self._checks: dict[str, asyncio.Task[object]] = {}
        self.is_sending = False
        """True while a message is being sent in the open chat. Sending may create this chat."""

    @property
    def key(self) -> str:
        """Key of the draft of the open chat."""
        current = self._chats.sessions.current
        return current.id if current is not None else NEW_CHAT_KEY

    def branch(self) -> tuple[ChatMessage, ...]:
        """Messages of the shown branch, followed by the message that would be sent now."""
        draft = self._draft()
        message = ChatMessage("", "", None, "user", draft.text, "complete", 0.0, attachments=draft.attachments)
        return (*self._chats.sessions.messages.rows, message)

    def submit(self) -> None:
        """Send the draft. If the context length is known and the draft may be too long, check first whether it fits."""
        status, key, sessions = self._models.chat_status, self.key, self._chats.sessions
        branch, settings, draft = self.branch(), sessions.settings, self._draft()
        if sessions.answering or key in self._checks:
            return
        n_ctx = status.model.n_ctx if status.model is not None and status.state == "ready" else 0
        if n_ctx == 0 or certainly_fits(branch, settings, n_ctx):
            self._send(draft)
            return
        check = self._check(key, branch, settings, draft)
        task = self._checks[key] = self._tasks.spawn(check, "see whether a message fits")
        # A task that is cancelled before its first step runs no code. Therefore a callback removes the check.
        task.add_done_callback(lambda task: self._end_check(key, task))
        self.report_checking()

    def report_checking(self) -> None:
        """Emit `checking_changed` with the state of the open chat."""
        self.checking_changed.emit(self.key in self._checks)

    def cancel_check(self) -> None:
        """Cancel the check of the message in the open chat. The message stays in the composer as a draft."""
        if (check := self._checks.get(self.key)) is not None:
            check.cancel()

    async def send_to_chat(self, key: str, draft: Draft, settings: ChatSettings) -> bool:
        """Send a draft in a chat that is no longer open. For `NEW_CHAT_KEY`, create a chat with these `settings`.
        Returns whether the draft was sent."""
        if key == NEW_CHAT_KEY:
            sent = self._chats.send_in_new_chat(draft.text, draft.attachments, settings) is not None
        else:
            sent = await self._chats.send_to_chat(key, draft.text, draft.attachments)
        if sent:
            self.sent.emit(key, draft)
        return sent

    def compare(self, sources: Sequence[AnswerSource]) -> bool:
        """Let each of these models answer the draft in the open chat; without a draft, the last question. Each model
        reports itself if the chat is too long for it. Returns False if nothing was asked."""
        return self._send(self._draft(), partial(self._chats.compare, sources))

    def close(self) -> None:
        """Cancel all checks. The messages stay drafts. Idempotent."""
        for check in self._checks.values():
            check.cancel()

    def _send(self, draft: Draft, send: Callable[[str, Sequence[Attachment]], bool] | None = None) -> bool:
        """Send the draft with the function `send`; by default with `ChatController.send`."""
        key = self.key
        self.is_sending = True
        try:
            sent = (send or self._chats.send)(draft.text, draft.attachments)
        finally:
            self.is_sending = False
        if sent:
            self.sent.emit(self.key if key == NEW_CHAT_KEY else key, draft)
        return sent

    def _end_check(self, key: str, task: asyncio.Task[object] | None) -> None:
        """Remove an ended check. Does nothing if it is already removed, or if a later check runs in the same chat."""
        if self._checks.get(key) is task:
            self._checks.pop(key, None)
            self.report_checking()

    async def _check(self, key: str, branch: tuple[ChatMessage, ...], settings: ChatSettings, draft: Draft) -> None:
        try:
            engine = await self._models.ready()
            overflow = find_overflow(branch, settings, await self._counter.fit(engine, branch, settings))
            if overflow is not None and not engine.capabilities.counts_tokens:
                overflow = replace(overflow, is_estimate=True)
        except EngineClosed:
            return
        except EngineError:
            # If the check fails, the message is sent. Its answer then reports the error, and the user can retry it.
            overflow = None
        # Other errors are reported by the task set, and the message stays a draft.
        self._end_check(key, asyncio.current_task())
        if self.key == key:
            self.overflowed.emit(overflow) if overflow is not None else self._send(draft)
        elif overflow is not None or not await self.send_to_chat(key, draft, settings):
            self.not_sent.emit(key)

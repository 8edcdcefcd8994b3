"""From Enter to the conversation: a message is looked at first, and nothing is left out of a chat unasked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject

from desktop.chat import strings
from desktop.chat.composer.composer import Composer
from desktop.chat.composer.drafts import NEW_CHAT_KEY, Draft
from desktop.chat.composer.overflow import Overflow, certainly_fits, overflow
from desktop.chat.composer.overflow_card import OverflowCard
from desktop.chat.composer.summarizer import Summarizer
from desktop.chat.controller import ChatController
from desktop.chat.prompt import TokenCounter, n_summarized_rows
from desktop.models.model_controller import ModelController
from desktop.platform.task_set import TaskSet
from desktop.store.records import ChatMessage, ChatSettings
from engine.errors import EngineClosed, EngineError


@dataclass
class _Summary:
    """A summary that is being written for a chat, and how far it is."""

    found: Overflow
    before: str
    draft: Draft
    share: float = 0.0
    task: asyncio.Task[object] | None = None


class MessageSender(QObject):
    """`send(draft)` hands a message over in the open chat, `send_to_chat(chat_id, draft, settings)` in one that was
    left
    meanwhile, which may fail; `afresh()` moves it to a chat that is not begun. `say_of(chat_id, text)`
    shows a sentence with a way to that chat. GUI thread only.

    What was asked for in a chat goes on when another one is opened."""

    def __init__(
        self,
        chats: ChatController,
        models: ModelController,
        counter: TokenCounter,
        tasks: TaskSet,
        composer: Composer,
        card: OverflowCard,
        draft: Callable[[], Draft],
        send: Callable[[Draft], None],
        send_to_chat: Callable[[str, Draft, ChatSettings], Awaitable[bool]],
        afresh: Callable[[], None],
        tell: Callable[[BaseException], None],
        say_of: Callable[[str, str], None],
    ) -> None:
        super().__init__()
        self._chats, self._models, self._counter, self._tasks = chats, models, counter, tasks
        self._composer, self._card = composer, card
        self._draft, self._send, self._send_in = draft, send, send_to_chat
        self._tell, self._say_of = tell, say_of
        self._checks: dict[str, asyncio.Task[object]] = {}
        self._summaries: dict[str, _Summary] = {}
        card.leave_out_requested.connect(self._leave_out)
        card.summary_requested.connect(self._summarise)
        card.cancel_requested.connect(self.cancel_summary)
        card.new_chat_requested.connect(afresh)
        card.closed.connect(composer.setFocus)
        card.focus_left.connect(composer.setFocus)

    @property
    def is_checking(self) -> bool:
        """Whether the open chat's message is being looked at."""
        return self._chat_id in self._checks

    @property
    def _chat_id(self) -> str:
        return self._chats.sessions.current.id if self._chats.sessions.current is not None else NEW_CHAT_KEY

    def submit(self) -> None:
        """Sends what stands in the composer, or shows what would be left out, or why it cannot be sent."""
        model, chat_id = self._models.status.model, self._chat_id
        branch, settings, draft = self._branch(), self._chats.sessions.settings, self._draft()
        if self._chats.sessions.answering or chat_id in self._checks:
            return
        if model is None or self._models.status.state != "ready" or certainly_fits(branch, settings, model.n_ctx):
            self._hand_over(draft)
            return
        look = self._look(chat_id, branch, settings, draft)
        task = self._checks[chat_id] = self._tasks.spawn(look, "see whether a message fits")
        # Not in the coroutine: a task that is cancelled before its first step runs nothing of it.
        task.add_done_callback(lambda done: self._end_check(chat_id, done))
        self._show_check()

    def chat_changed(self) -> None:
        """Another chat is open."""
        self._card.dismiss()
        self._show_check()
        if (summary := self._summaries.get(self._chat_id)) is not None:
            self._card.show_overflow(summary.found)
            self._card.show_progress(summary.share)

    def edited(self) -> None:
        """A message that was too long by itself may not be any more."""
        if self._card.overflow is not None and self._card.overflow.kind == "message":
            self._card.dismiss()

    def cancel_check(self) -> None:
        """Of the open chat; its message stays a draft."""
        if (check := self._checks.get(self._chat_id)) is not None:
            check.cancel()

    def cancel_summary(self) -> None:
        """Of the open chat."""
        summary = self._summaries.get(self._chat_id)
        if summary is not None and summary.task is not None:
            summary.task.cancel()

    def close(self) -> None:
        """Ends what is looked at or summarised; those messages stay drafts. Idempotent."""
        summaries = [summary.task for summary in self._summaries.values() if summary.task is not None]
        for task in [*self._checks.values(), *summaries]:
            task.cancel()

    def _branch(self) -> tuple[ChatMessage, ...]:
        """The open chat with the message that is to be sent."""
        rows, draft = self._chats.sessions.messages, self._draft()
        shown = (rows[place] for place in range(len(rows)))
        return (*shown, ChatMessage("", "", None, "user", draft.text, "complete", 0.0, attachments=draft.attachments))

    def _hand_over(self, draft: Draft) -> None:
        self._card.dismiss()
        self._send(draft)

    def _end_check(self, chat_id: str, task: asyncio.Task[object] | None) -> None:
        """Idempotent; a later check of the same chat goes on."""
        if self._checks.get(chat_id) is task:
            self._checks.pop(chat_id, None)
            self._show_check()

    def _show_check(self) -> None:
        self._composer.set_checking(strings.checking() if self.is_checking else "")

    async def _look(self, chat_id: str, branch: tuple[ChatMessage, ...], settings: ChatSettings, draft: Draft) -> None:
        try:
            fit = await self._counter.fit(await self._models.ready(), branch, settings)
            found = overflow(branch, settings, fit)
        except EngineClosed:
            return  # it stays a draft
        except EngineError:
            found = None  # the answer says what is wrong, and can be tried again
        # What else is raised is reported by the task's owner; the message stays a draft.
        self._end_check(chat_id, asyncio.current_task())
        if self._chat_id == chat_id:
            self._card.show_overflow(found) if found is not None else self._hand_over(draft)
        elif found is not None or not await self._send_in(chat_id, draft, settings):
            self._say_of(chat_id, strings.not_sent())

    def _leave_out(self) -> None:
        self._chats.sessions.change_settings(replace(self._chats.sessions.settings, leaves_out=True))
        self.submit()

    def _summarise(self) -> None:
        found, chat_id, settings = self._card.overflow, self._chat_id, self._chats.sessions.settings
        if found is None or chat_id in self._summaries:
            return
        before = settings.summary if n_summarized_rows(self._branch(), settings) else ""
        summary = self._summaries[chat_id] = _Summary(found, before, self._draft())
        self._card.show_progress(0)
        writing = self._write_summary(chat_id, summary)
        summary.task = self._tasks.spawn(writing, "summarise the oldest turns")
        summary.task.add_done_callback(lambda _: self._end_summary(chat_id, summary))

    def _end_summary(self, chat_id: str, summary: _Summary) -> None:
        """Idempotent."""
        if self._summaries.get(chat_id) is summary:
            del self._summaries[chat_id]
            if self._chat_id == chat_id:
                self._card.end_progress()

    async def _write_summary(self, chat_id: str, summary: _Summary) -> None:
        def progress(share: float) -> None:
            summary.share = share
            if self._chat_id == chat_id:
                self._card.show_progress(share)

        try:
            engine = await self._models.ready()
            writer = Summarizer(engine, summary.found.n_ctx, progress)
            text = await writer.write(summary.found.turns, summary.before)
        except Exception as error:  # whatever it is, it is said; what was to be sent is still there
            self._end_summary(chat_id, summary)
            self._tell(error)
            return
        self._end_summary(chat_id, summary)
        if text == summary.before:
            self._say_of(chat_id, strings.summary_failed())
            return
        changed = self._chats.sessions.set_summary(chat_id, text, summary.found.last_row_id)
        if self._chat_id == chat_id:
            self.submit()
        elif changed is not None:
            sent = await self._send_in(chat_id, summary.draft, changed)
            self._say_of(chat_id, strings.summarised() if sent else strings.not_sent())

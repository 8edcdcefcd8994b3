"""Handles messages that do not fit into the context: performs the choices of the overflow card, and lets the model
summarise the oldest turns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from desktop.chat.composer.drafts import Draft
from desktop.chat.composer.message_sender import MessageSender
from desktop.chat.composer.overflow import Overflow
from desktop.chat.composer.overflow_card import OverflowCard
from desktop.chat.composer.summarizer import Summarizer
from desktop.chat.controller import ChatController
from desktop.chat.prompt import n_summarized_rows
from desktop.models.model_controller import ModelController
from desktop.platform.task_set import TaskSet


@dataclass
class _RunningSummary:
    overflow: Overflow
    previous: str
    """The earlier summary that the new one includes; "" if there is none."""
    draft: Draft
    share: float = 0.0
    task: asyncio.Task[object] | None = None


class OverflowController(QObject):
    """Connects the overflow card with the chats. GUI thread only.

    If the user opens another chat, a running summary continues."""

    summarized = Signal(str, bool)
    """Emitted when a summary was written for a chat that is no longer open. The arguments are the key of this chat, and
    whether its message was sent."""
    summary_failed = Signal(str)
    """Emitted if the model wrote no summary. The argument is the key of the chat."""

    def __init__(
        self,
        chats: ChatController,
        models: ModelController,
        tasks: TaskSet,
        sender: MessageSender,
        card: OverflowCard,
        draft: Callable[[], Draft],
        report: Callable[[BaseException], None],
    ) -> None:
        super().__init__()
        self._chats, self._models, self._tasks = chats, models, tasks
        self._sender, self._card, self._draft, self._report = sender, card, draft, report
        self._summaries: dict[str, _RunningSummary] = {}
        sender.overflowed.connect(card.show_overflow)
        card.leave_out_requested.connect(self._leave_out)
        card.summary_requested.connect(self._summarize)
        card.cancel_requested.connect(self._cancel_summary)

    def chat_changed(self) -> None:
        """Call this when another chat was opened. Shows the progress of the summary if one is being written for that
        chat; otherwise hides the card."""
        self._card.dismiss()
        if (summary := self._summaries.get(self._sender.key)) is not None:
            self._card.show_overflow(summary.overflow)
            self._card.show_progress(summary.share)

    def edited(self) -> None:
        """Call this when the draft has changed. Hides the card if it reported that the message is too long, because the
        message may fit now."""
        if self._card.overflow is not None and self._card.overflow.kind == "message":
            self._card.dismiss()

    def close(self) -> None:
        """Cancel all summaries. The messages stay drafts. Idempotent."""
        for summary in self._summaries.values():
            if summary.task is not None:
                summary.task.cancel()

    def _leave_out(self) -> None:
        sessions = self._chats.sessions
        sessions.change_settings(replace(sessions.settings, leaves_out=True))
        self._sender.submit()

    def _cancel_summary(self) -> None:
        summary = self._summaries.get(self._sender.key)
        if summary is not None and summary.task is not None:
            summary.task.cancel()

    def _summarize(self) -> None:
        overflow, key, settings = self._card.overflow, self._sender.key, self._chats.sessions.settings
        if overflow is None or key in self._summaries:
            return
        previous = settings.summary if n_summarized_rows(self._sender.branch(), settings) else ""
        summary = self._summaries[key] = _RunningSummary(overflow, previous, self._draft())
        self._card.show_progress(0)
        summary.task = self._tasks.spawn(self._write_summary(key, summary), "summarise the oldest turns")
        summary.task.add_done_callback(lambda _: self._end_summary(key, summary))

    def _end_summary(self, key: str, summary: _RunningSummary) -> None:
        """Remove a summary that has ended. Does nothing if it is already removed."""
        if self._summaries.get(key) is summary:
            del self._summaries[key]
            if self._sender.key == key:
                self._card.end_progress()

    async def _write_summary(self, key: str, summary: _RunningSummary) -> None:
        def progress(share: float) -> None:
            summary.share = share
            if self._sender.key == key:
                self._card.show_progress(share)

        try:
            summarizer = Summarizer(await self._models.ready(), summary.overflow.n_ctx, progress)
            text = await summarizer.write(summary.overflow.turns, summary.previous)
        except Exception as error:  # any error is reported, and the message stays a draft
            self._end_summary(key, summary)
            self._report(error)
            return
        self._end_summary(key, summary)
        if text == summary.previous:
            self.summary_failed.emit(key)
            return
        settings = self._chats.sessions.set_summary(key, text, summary.overflow.last_row_id)
        if self._sender.key == key:
            self._sender.submit()
        elif settings is not None:
            self.summarized.emit(key, await self._sender.send_to_chat(key, summary.draft, settings))

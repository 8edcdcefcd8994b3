"""From Enter to the conversation: a message is looked at first, and nothing is left out of a chat unasked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject

from desktop import composer_words
from desktop.compose.counting import TokenCounter
from desktop.compose.drafts import Draft
from desktop.compose.overflow import Overflow, overflow, surely_fits
from desktop.compose.prompt import summarised_rows
from desktop.compose.summary import Summariser
from desktop.models.controller import ModelController
from desktop.store.records import ChatMessage, ChatSettings
from desktop.tasks import TaskSet
from desktop.widgets.composer import Composer
from desktop.widgets.overflow_card import OverflowCard
from desktop.windows.chat_port import ChatPort
from engine.errors import EngineError


class Sending(QObject):
    """`send(draft)` hands a message over, `afresh()` moves it to a chat that is not begun. GUI thread only."""

    def __init__(
        self,
        chats: ChatPort,
        models: ModelController,
        counter: TokenCounter,
        tasks: TaskSet,
        composer: Composer,
        card: OverflowCard,
        draft: Callable[[], Draft],
        send: Callable[[Draft], None],
        afresh: Callable[[], None],
        tell: Callable[[BaseException], None],
        say: Callable[[str], None],
    ) -> None:
        super().__init__()
        self._chats, self._models, self._counter, self._tasks = chats, models, counter, tasks
        self._composer, self._card = composer, card
        self._draft, self._send, self._tell, self._say = draft, send, tell, say
        self._check: asyncio.Task[object] | None = None
        self._summary: asyncio.Task[object] | None = None
        card.leave_out_asked.connect(self._leave_out)
        card.summary_asked.connect(self._summarise)
        card.cancel_asked.connect(self.cancel_summary)
        card.afresh_asked.connect(afresh)
        card.closed.connect(composer.setFocus)

    def submit(self) -> None:
        """Sends what stands in the composer, or shows what would be left out, or why it cannot be sent."""
        model = self._models.status.model
        branch, settings, draft = self._branch(), self._chats.settings, self._draft()
        if self._chats.answering or self._check is not None:
            return
        if model is None or self._models.status.state != "ready" or surely_fits(branch, settings, model.n_ctx):
            self._hand_over(draft)
        else:
            self._composer.set_waiting(composer_words.checking())
            self._check = self._tasks.spawn(self._look(draft), "see whether a message fits")

    def chat_changed(self) -> None:
        """Another chat is open: what was asked about the one before is moot."""
        if self._check is not None:
            self._check.cancel()
        self.cancel_summary()
        self._card.dismiss()

    def edited(self) -> None:
        """A message that was too long by itself may not be any more."""
        if self._card.overflow is not None and self._card.overflow.kind == "message":
            self._card.dismiss()

    def cancel_summary(self) -> None:
        if self._summary is not None:
            self._summary.cancel()

    def _branch(self) -> tuple[ChatMessage, ...]:
        """The open chat with the message that is to be sent."""
        rows, draft = self._chats.messages, self._draft()
        shown = (rows[place] for place in range(len(rows)))
        return (*shown, ChatMessage("", "", None, "user", draft.text, "complete", 0.0, attachments=draft.attachments))

    def _hand_over(self, draft: Draft) -> None:
        self._card.dismiss()
        self._send(draft)

    async def _look(self, draft: Draft) -> None:
        branch, settings = self._branch(), self._chats.settings
        try:
            fit = await self._counter.fit(await self._models.ready(), branch, settings)
            found = overflow(branch, settings, fit)
        except EngineError:
            found = None  # the answer says what is wrong, and can be tried again
        finally:
            self._check = None
            self._composer.set_waiting("")
        if found is None:
            self._hand_over(draft)
        else:
            self._card.show_overflow(found)

    def _leave_out(self) -> None:
        self._chats.change_settings(replace(self._chats.settings, leaves_out=True))
        self.submit()

    def _summarise(self) -> None:
        if self._card.overflow is not None and self._summary is None:
            self._card.show_progress(0)
            work = self._write_summary(self._card.overflow, self._chats.settings)
            self._summary = self._tasks.spawn(work, "summarise the oldest turns")

    async def _write_summary(self, found: Overflow, settings: ChatSettings) -> None:
        before = settings.summary if summarised_rows(self._branch(), settings) else ""
        try:
            engine = await self._models.ready()
            summary = await Summariser(engine, found.n_ctx, self._card.show_progress).write(found.turns, before)
        except EngineError as error:
            self._card.end_progress()
            self._tell(error)
            return
        except asyncio.CancelledError:
            self._card.end_progress()
            raise
        finally:
            self._summary = None
        self._card.end_progress()
        if summary == before:
            self._say(composer_words.summary_failed())
            return
        changed = replace(self._chats.settings, summary=summary, summarised_to=found.last_row_id)
        self._chats.change_settings(changed)
        self.submit()

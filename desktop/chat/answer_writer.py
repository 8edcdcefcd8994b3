"""The answers that are being written, in whichever chat, each with a task of its own."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from desktop.chat.answer import Answer
from desktop.chat.prompt import Prompt
from desktop.chat.session import ChatSession
from desktop.chat.waiting import Waiting
from desktop.chat.write_behind_queue import WriteBehindQueue
from desktop.models.model_controller import ModelController
from desktop.platform.task_set import TaskSet
from desktop.store.records import ChatMessage
from engine.requests import ChatRequest, Sampling, new_request_id

if TYPE_CHECKING:
    from engine.engine import Engine

Changed = Callable[[ChatSession, ChatMessage], None]


@dataclass(frozen=True, slots=True)
class SeededPrompt:
    """The prompt of one of several answers to the same: what differs is the seed."""

    prompt: Prompt
    seed: int

    async def request(self, engine: Engine) -> ChatRequest:
        asked = await self.prompt.request(engine)
        # Greedy answers would all be the same.
        temperature = asked.sampling.temperature or Sampling().temperature
        sampling = replace(asked.sampling, temperature=temperature, seed=self.seed)
        return replace(asked, id=new_request_id(), sampling=sampling)


class AnswerWriter:
    """`changed` hears of every change of an answer, the last one after the answer has left its session; `kept` is
    called when one has ended and is on disk.

    Loop's thread only."""

    def __init__(
        self,
        models: ModelController,
        write_queue: WriteBehindQueue,
        changed: Changed,
        kept: Callable[[], None],
        report: Callable[[BaseException], None],
    ) -> None:
        self._models = models
        self._write_queue = write_queue
        self._changed = changed
        self._kept = kept
        self._tasks = TaskSet(lambda error, _: report(error))
        self._saving = TaskSet(lambda error, _: report(error))
        self.live: dict[str, ChatSession] = {}
        """Sessions in which something is being written, by the ids of their chats."""

    def write(self, session: ChatSession, message: ChatMessage, prompt: Prompt, *before: ChatMessage) -> None:
        """Has `message` written, or gone on with. It and `before` are on disk before the model is asked."""
        self._start(session, message, prompt, before)

    def write_several(self, session: ChatSession, messages: Sequence[ChatMessage], prompt: Prompt) -> None:
        """Has all of these written at once, from one reading of the prompt, each with a seed of its own."""
        first = prompt.settings.seed
        first = random.getrandbits(31) if first is None else first
        for number, message in enumerate(messages):
            self._start(session, message, SeededPrompt(prompt, first + number), ())

    def waiting(self, message_id: str) -> Waiting:
        """What happens to an answer now; "writing" for one that is not being written."""
        for session in self.live.values():
            if (answer := session.answers.get(message_id)) is not None:
                waiting = answer.waiting
                if waiting.stage == "loading":
                    return replace(waiting, share=self._models.status.progress)
                return replace(waiting, behind=self._ahead_of(session)) if waiting.stage == "queued" else waiting
        return Waiting("writing")

    def _ahead_of(self, session: ChatSession) -> str:
        """The title of another chat in which the model reads or writes; "" where there is none."""
        for other in self.live.values():
            stages = {answer.waiting.stage for answer in other.answers.values()}
            if other is not session and stages & {"reading", "writing"}:
                return other.chat.title
        return ""

    def stop_all(self) -> None:
        for session in list(self.live.values()):
            session.stop()

    async def aclose(self) -> None:
        """Stops every answer and waits until all of them are kept. Idempotent."""
        self.stop_all()
        await self._tasks.join()
        await self._saving.aclose()

    def _start(
        self, session: ChatSession, message: ChatMessage, prompt: Prompt | SeededPrompt, before: tuple[ChatMessage, ...]
    ) -> None:
        def changed(now: ChatMessage) -> None:
            session.take(now)
            if now.state != "streaming":
                session.answers.pop(now.id, None)
                if not session.is_live:
                    self.live.pop(session.chat.id, None)
            self._changed(session, now)

        async def save(now: ChatMessage) -> None:
            await self._write_queue.save(session.chat, now)

        async def run() -> None:
            await self._write_queue.save(session.chat, *before, message)
            await answer.run(self._saving, self._models.ready, prompt.request)
            self._kept()

        answer = Answer(message, changed, save)
        session.answers[message.id] = answer
        self.live[session.chat.id] = session
        task = self._tasks.spawn(run(), f"answer {message.id}")
        # Not in `run`: a task that is cancelled before its first step runs nothing of its coroutine.
        task.add_done_callback(lambda done: answer.abandon(None if done.cancelled() else done.exception()))

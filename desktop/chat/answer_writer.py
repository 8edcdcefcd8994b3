"""Writes answers of the model into chats: waits for the model, receives the text, saves it, and records how the answer
ended."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from desktop.chat.answer_source import AnswerSource, WindowModel
from desktop.chat.conversation import Conversation, RemovedMessages
from desktop.chat.prompt import ChatPrompt, continuing
from desktop.chat.strings import context_full_note, model_unloaded_note
from desktop.chat.time_left import TimeLeft
from desktop.chat.waiting import Waiting
from desktop.chat.write_behind_queue import WriteBehindQueue
from desktop.error_messages import error_message
from desktop.models.model_controller import ModelController
from desktop.platform.refresh_rate import READ_EVERY_S
from desktop.platform.task_set import TaskSet
from desktop.store.records import Call, Chat, ChatMessage, State
from engine.errors import EngineError, NotLoaded
from engine.events import (
    Event,
    Failed,
    Finished,
    PromptProgress,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
)
from engine.redacted_traceback import redacted_traceback
from engine.requests import ChatRequest, Sampling, new_request_id

if TYPE_CHECKING:
    from engine.chat_engine import ChatEngine
    from engine.stream import RequestStream

log = logging.getLogger(__name__)

SAVE_EVERY_S = 0.13
"""Interval between two saves of an answer that is being written. A crash loses at most the text of the last 250 ms."""

BuildRequest = Callable[["ChatEngine"], Awaitable[ChatRequest]]
"""Builds the request for an answer. It needs the engine to find out which messages fit into the context. Raises
EngineError."""


class Answer:
    """Writes one answer of the model into `message`. Event-loop thread only.

    `changed(message)` is called after every change, and `save(message)` at most every `SAVE_EVERY_S`. If `message`
    already has text, the model continues it; this text is kept even if the model fails."""

    def __init__(
        self,
        message: ChatMessage,
        changed: Callable[[ChatMessage], None],
        save: Callable[[ChatMessage], Awaitable[None]],
    ) -> None:
        self.message = message
        self._initial = message
        self._changed = changed
        self._save = save
        self._unsaved = asyncio.Event()
        self._stopped = False
        self._has_reasoned = False
        self._reasoning_since_s: float | None = None
        self._output_since_s: float | None = None
        self._preparing: asyncio.Timeout | None = None
        """Timeout around waiting for the model and building the prompt; None at other times. `stop` makes it expire."""
        self._engine: ChatEngine | None = None
        self._stream: RequestStream | None = None
        self._has_output = False
        self._progress: PromptProgress | None = None
        """The last progress report on the prompt; None before the first one."""
        self._time_left = TimeLeft()

    @property
    def waiting(self) -> Waiting:
        if self._stopped:
            return Waiting("stopping")
        if self._has_output:
            return Waiting("writing")
        if self._engine is None:
            return Waiting("loading")
        if self._progress is not None:
            return Waiting.reading(self._progress, self._time_left)
        return Waiting.of(self._engine.progress(self._stream.request_id) if self._stream is not None else None)

    def stop(self) -> None:
        """Stop writing this answer and keep the text written so far. Idempotent."""
        self._stopped = True
        if self._stream is not None:
            self._stream.cancel()
        elif self._preparing is not None and not self._preparing.expired():
            self._preparing.reschedule(asyncio.get_running_loop().time())

    def task_ended(self, error: BaseException | None) -> None:
        """Called when the task of the answer has ended. Mark an unfinished answer as failed if the task raised `error`,
        else as stopped."""
        if self.message.state == "streaming":
            self._end("failed", error_message(error)) if error is not None else self._end("stopped")

    async def run(self, tasks: TaskSet, ready: Callable[[], Awaitable[ChatEngine]], build: BuildRequest) -> None:
        """Write the answer until it ends. An error marks the answer as failed instead of being raised, unless `save`
        raised it."""
        saving = tasks.spawn(self._save_periodically(), f"save answer {self.message.id}")
        try:
            prepared = await self._prepare(ready, build)
            if prepared is None:
                self._end("stopped")
            else:
                await self._receive(*prepared)
        except EngineError as error:
            self._end("failed", error_message(error))
        except asyncio.CancelledError:
            self._end("stopped")
            raise
        # Any other error is a bug. It must end the answer too, because an answer without an end blocks its chat.
        except Exception as error:
            log.error("an answer failed\n%s", redacted_traceback(error))
            self._end("failed", error_message(error))
        finally:
            saving.cancel()
            await self._save(self.message)

    async def _prepare(
        self, ready: Callable[[], Awaitable[ChatEngine]], build: BuildRequest
    ) -> tuple[ChatEngine, ChatRequest] | None:
        """Wait for the engine, then build the request. Returns None if the answer was stopped before the request was
        built."""
        if self._stopped:
            return None
        try:
            async with asyncio.timeout(None) as self._preparing:
                self._engine = await ready()
                return self._engine, await build(self._engine)
        except TimeoutError:
            if self._preparing is None or not self._preparing.expired():
                raise
            return None
        finally:
            self._preparing = None  # asyncio forbids `stop` to reschedule a timeout that has ended

    async def _receive(self, engine: ChatEngine, request: ChatRequest) -> None:
        model = engine.status.model
        model_id, host = (model.id, model.host) if model else ("", "")
        self._change(replace(self.message, model_id=model_id, host=host))
        request = continuing(request, self._initial.text, engine.capabilities)
        request = replace(request, owner=self.message.chat_id, wants_progress=True)
        async with engine.submit(request) as self._stream:
            if self._stopped:  # `stop` was called after the request was built and before it was submitted
                self._stream.cancel()
            async for event in self._stream:
                self._apply(event, model.n_ctx if model else 0)
                if isinstance(event, TextDelta | ReasoningDelta | ToolCallDelta):
                    await self._stream.coalesce(READ_EVERY_S)

    def _apply(self, event: Event, n_ctx: int) -> None:
        message = self.message
        self._has_output = self._has_output or isinstance(event, TextDelta | ReasoningDelta | ToolCallStarted)
        match event:
            case PromptProgress(n_cached=n_cached, n_read=n_read, prefill_s=prefill_s):
                self._progress = event
                self._time_left.add(n_read - n_cached, prefill_s)
            case Started(n_prompt=n_prompt, n_cached=n_cached):
                n_prompt = max(0, n_prompt - self._initial.n_output)
                self.message = replace(message, n_prompt=n_prompt, n_cached=n_cached)
            case TextDelta(text=text, n_tokens=n_tokens):
                self._reasoning_since_s = None
                self._change(replace(self._with_output(message, n_tokens), text=message.text + text))
            case ReasoningDelta(text=text, n_tokens=n_tokens):
                self._add_reasoning(text, n_tokens)
            case ToolCallStarted(name=name):
                self._change(replace(message, calls=(*message.calls, Call(name, ""))))
            case ToolCallDelta(arguments=arguments) if message.calls:
                *others, last = message.calls
                self._change(replace(message, calls=(*others, Call(last.name, last.arguments + arguments))))
            case Finished():
                self._finish(event, n_ctx)
            case Failed(error=NotLoaded()):
                self._end("failed", model_unloaded_note())
            case Failed(error=error):
                self._end("failed", error_message(error))

    def _add_reasoning(self, text: str, n_tokens: int) -> None:
        """Append reasoning to the answer. If a continued answer has no text yet, the model repeats its reasoning from
        the start. The new reasoning then replaces the old."""
        now_s, message = time.monotonic(), self.message
        if self._reasoning_since_s is None:
            if not self._has_reasoned and not self._initial.text:
                message = replace(message, reasoning="", reasoning_s=0.0)
            self._has_reasoned = True
            self._reasoning_since_s = now_s - message.reasoning_s
        reasoning_s = now_s - self._reasoning_since_s
        message = self._with_output(message, n_tokens)
        self._change(replace(message, reasoning=message.reasoning + text, reasoning_s=reasoning_s))

    def _with_output(self, message: ChatMessage, n_tokens: int) -> ChatMessage:
        """Count new tokens, and the time since the first ones. `_finish` replaces that time by what the engine
        measured."""
        now_s = time.monotonic()
        if self._output_since_s is None:
            self._output_since_s = now_s
        decode_s = self._initial.decode_s + now_s - self._output_since_s
        return replace(message, n_output=message.n_output + n_tokens, decode_s=decode_s)

    def _finish(self, event: Finished, n_ctx: int) -> None:
        """Store the token counts and durations of the whole answer. A continued answer keeps its earlier time to the
        first token, if it has one."""
        usage, timings, initial = event.usage, event.timings, self._initial
        self.message = replace(
            self.message,
            n_prompt=max(0, usage.n_prompt - initial.n_output),
            n_cached=usage.n_cached,
            n_output=initial.n_output + usage.n_output,
            n_drafted=initial.n_drafted + usage.n_drafted,
            n_accepted=initial.n_accepted + usage.n_accepted,
            decode_s=initial.decode_s + timings.decode_s,
            first_token_s=initial.first_token_s or timings.first_token_s,
        )
        if event.reason == "cancelled":
            self._end("stopped")
        elif event.reason == "length":
            is_full = 0 < n_ctx <= usage.n_prompt + usage.n_output
            self._end("length", context_full_note() if is_full else "")
        else:
            self._end("complete")

    def _end(self, state: State, note: str = "") -> None:
        self._change(replace(self.message, state=state, note=note))

    def _change(self, message: ChatMessage) -> None:
        self.message = message
        self._unsaved.set()
        self._changed(message)

    async def _save_periodically(self) -> None:
        while True:
            await self._unsaved.wait()
            self._unsaved.clear()
            started_s = time.monotonic()
            await self._save(self.message)
            # The pause is shortened by the duration of the write, so that a slow disk does not lengthen the interval.
            await asyncio.sleep(max(READ_EVERY_S, SAVE_EVERY_S - (time.monotonic() - started_s)))


@dataclass
class ChatSession:
    """A chat in memory: its `Chat` record, its messages, and the answers that are being written in it, by message
    id."""

    chat: Chat
    conversation: Conversation
    answers: dict[str, Answer] = field(default_factory=dict)
    removed_answers: dict[str, ChatMessage] = field(default_factory=dict)
    """Latest states of answers that were removed from the conversation while they were being written, by message id."""

    @property
    def is_answering(self) -> bool:
        return bool(self.answers)

    def update(self, message: ChatMessage) -> None:
        """Store the new state of an answer, even if the answer was removed from the conversation."""
        if message.id in self.conversation:
            self.conversation.put(message)
        else:
            self.removed_answers[message.id] = message

    def restore(self, removed: RemovedMessages) -> None:
        """Undo `Conversation.remove`. Answers that were being written when they were removed are restored in their
        latest state."""
        self.conversation.restore(removed)
        for message in removed.messages:
            if (final := self.removed_answers.pop(message.id, None)) is not None:
                self.conversation.put(final)

    def stop(self) -> None:
        """Stop all answers that are being written in this chat. Idempotent."""
        for answer in list(self.answers.values()):
            answer.stop()


@dataclass(frozen=True, slots=True)
class SeededPrompt:
    """Prompt for one of several answers to the same question. Each of these answers has its own seed, so that they
    differ."""

    prompt: ChatPrompt
    seed: int

    async def request(self, engine: ChatEngine) -> ChatRequest:
        request = await self.prompt.request(engine)
        # With temperature 0 (greedy sampling) all answers would be the same.
        temperature = request.sampling.temperature or Sampling().temperature
        sampling = replace(request.sampling, temperature=temperature, seed=self.seed)
        return replace(request, id=new_request_id(), sampling=sampling)


class AnswerWriter:
    """Writes answers in any number of chats, each answer in its own task. Event-loop thread only.

    `changed(session, message)` is called for each change of an answer. At the last change, the answer is no longer in
    `session.answers`. `saved()` is called when an answer has ended and is on disk. Unexpected errors are passed to
    `report`."""

    def __init__(
        self,
        models: ModelController,
        write_queue: WriteBehindQueue,
        changed: Callable[[ChatSession, ChatMessage], None],
        saved: Callable[[], None],
        report: Callable[[BaseException], None],
    ) -> None:
        self._window_model = WindowModel(models)
        self._sources: dict[str, AnswerSource] = {}
        """The models of the answers that are being written, by message id."""
        self._write_queue = write_queue
        self._changed = changed
        self._saved = saved
        self._tasks = TaskSet(lambda error, _: report(error))
        self._saving = TaskSet(lambda error, _: report(error))
        self.live: dict[str, ChatSession] = {}
        """Sessions in which at least one answer is being written, by chat id."""

    def write(self, session: ChatSession, message: ChatMessage, prompt: ChatPrompt, *before: ChatMessage) -> None:
        """Write the answer `message`, or continue it if it has text. The answer and the messages `before` are saved
        before the model runs."""
        self._start(session, message, prompt, before, self._window_model)

    def write_several(self, session: ChatSession, messages: Sequence[ChatMessage], prompt: ChatPrompt) -> None:
        """Write all these answers to the same question at once, with one prefill of the prompt. Each answer has its own
        seed."""
        first = prompt.settings.seed
        first = random.getrandbits(31) if first is None else first
        for number, message in enumerate(messages):
            self._start(session, message, SeededPrompt(prompt, first + number), (), self._window_model)

    def write_compared(
        self,
        session: ChatSession,
        messages: Sequence[ChatMessage],
        sources: Sequence[AnswerSource],
        prompt: ChatPrompt,
        *before: ChatMessage,
    ) -> None:
        """Write these answers to the same question, each with the model at the same place in `sources`. See
        `write`."""
        for message, source in zip(messages, sources, strict=True):
            self._start(session, message, prompt, before, source)

    def waiting(self, message_id: str) -> Waiting:
        """What an answer waits for. The result has the stage "writing" if the message is not being written."""
        for session in self.live.values():
            if (answer := session.answers.get(message_id)) is not None:
                waiting = answer.waiting
                if waiting.stage == "loading":
                    return self._sources[message_id].waiting()
                return replace(waiting, behind=self._running_title(session)) if waiting.stage == "queued" else waiting
        return Waiting("writing")

    def _running_title(self, session: ChatSession) -> str:
        """Title of another chat whose answer is in prefill or decode; "" if there is none."""
        for other in self.live.values():
            stages = {answer.waiting.stage for answer in other.answers.values()}
            if other is not session and stages & {"reading", "writing"}:
                return other.chat.title
        return ""

    async def aclose(self) -> None:
        """Stop all answers and wait until they are saved. Idempotent."""
        for session in list(self.live.values()):
            session.stop()
        await self._tasks.join()
        await self._saving.aclose()

    def _start(
        self,
        session: ChatSession,
        message: ChatMessage,
        prompt: ChatPrompt | SeededPrompt,
        before: tuple[ChatMessage, ...],
        source: AnswerSource,
    ) -> None:
        def changed(new: ChatMessage) -> None:
            session.update(new)
            if new.state != "streaming":
                session.answers.pop(new.id, None)
                self._sources.pop(new.id, None)
                if not session.is_answering:
                    self.live.pop(session.chat.id, None)
            self._changed(session, new)

        async def save(new: ChatMessage) -> None:
            await self._write_queue.save(session.chat, new)

        async def run() -> None:
            await self._write_queue.save(session.chat, *before, message)
            async with AsyncExitStack() as stack:
                await answer.run(self._saving, lambda: stack.enter_async_context(source.open()), prompt.request)
            self._saved()

        answer = Answer(message, changed, save)
        session.answers[message.id] = answer
        self._sources[message.id] = source
        self.live[session.chat.id] = session
        task = self._tasks.spawn(run(), f"answer {message.id}")
        # If the task is cancelled before its first step, `run` never starts. This callback then ends the answer.
        task.add_done_callback(lambda task: answer.task_ended(None if task.cancelled() else task.exception()))

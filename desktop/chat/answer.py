"""One answer being written, from the wait for the model to its last word."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from desktop.chat.strings import context_full_note, model_unloaded_note
from desktop.chat.waiting import Waiting
from desktop.error_messages import error_message
from desktop.platform.refresh_rate import READ_EVERY_S
from desktop.platform.task_set import TaskSet
from desktop.store.records import Call, ChatMessage, State
from engine.errors import EngineError, NotLoaded
from engine.events import Event, Failed, Finished, ReasoningDelta, Started, TextDelta, ToolCallDelta, ToolCallStarted
from engine.redacted_traceback import redacted_traceback
from engine.requests import ChatRequest

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.stream import RequestStream

log = logging.getLogger(__name__)

SAVE_EVERY_S = 0.13
"""What a crash may cost is this, `READ_EVERY_S` and the time that one write takes; together they stay below 250 ms."""

Ask = Callable[["Engine"], Awaitable[ChatRequest]]
"""What an answer is asked with; it may need the engine to know what fits. Raises EngineError."""


class Answer:
    """`changed(message)` hears of every change, at once; `save(message)` is awaited at most every `SAVE_EVERY_S`.

    A message that holds text already is gone on with: what is there stays, whatever happens. Loop's thread only."""

    def __init__(
        self,
        message: ChatMessage,
        changed: Callable[[ChatMessage], None],
        save: Callable[[ChatMessage], Awaitable[None]],
    ) -> None:
        self.message = message
        self._begun = message
        self._changed = changed
        self._save = save
        self._unsaved = asyncio.Event()
        self._stopped = False
        self._thought = False
        self._thinks_since: float | None = None
        self._preparing: asyncio.Timeout | None = None
        """While the answer waits for the model or for its prompt; `stop` ends that."""
        self._engine: Engine | None = None
        self._stream: RequestStream | None = None
        self._writes = False

    @property
    def waiting(self) -> Waiting:
        """What happens to it now, before its first word or after `stop`."""
        if self._stopped:
            return Waiting("stopping")
        if self._writes:
            return Waiting("writing")
        if self._engine is None:
            return Waiting("loading")
        found = self._engine.progress(self._stream.request_id) if self._stream is not None else None
        return Waiting.of(found)

    def stop(self) -> None:
        """Ends the answer where it stands; what was written stays. Idempotent."""
        self._stopped = True
        if self._stream is not None:
            self._stream.cancel()
        elif self._preparing is not None and not self._preparing.expired():
            self._preparing.reschedule(asyncio.get_running_loop().time())

    def abandon(self, error: BaseException | None) -> None:
        """Called when its task has ended. Ends an unfinished answer as stopped, or as failed with `error`."""
        if self.message.state == "streaming":
            self._end("failed", error_message(error)) if error is not None else self._end("stopped")

    async def run(self, tasks: TaskSet, ready: Callable[[], Awaitable[Engine]], ask: Ask) -> None:
        """Writes the answer to its end. An error ends it as failed; none is raised but those of `save`."""
        saving = tasks.spawn(self._keep_saving(), f"save answer {self.message.id}")
        try:
            prepared = await self._prepare(ready, ask)
            if prepared is None:
                self._end("stopped")
            else:
                await self._read(*prepared)
        except EngineError as error:
            self._end("failed", error_message(error))
        except asyncio.CancelledError:
            self._end("stopped")
            raise
        except Exception as error:  # a bug of ours: an answer that never ends would block its chat
            log.error("an answer failed\n%s", redacted_traceback(error))
            self._end("failed", error_message(error))
        finally:
            saving.cancel()
            await self._save(self.message)

    async def _prepare(self, ready: Callable[[], Awaitable[Engine]], ask: Ask) -> tuple[Engine, ChatRequest] | None:
        """The engine and the request for it; None where the answer was stopped before both were there."""
        if self._stopped:
            return None
        try:
            async with asyncio.timeout(None) as self._preparing:
                self._engine = await ready()
                return self._engine, await ask(self._engine)
        except TimeoutError:
            if self._preparing is None or not self._preparing.expired():
                raise
            return None
        finally:
            self._preparing = None  # a timeout that is over cannot be rescheduled

    async def _read(self, engine: Engine, request: ChatRequest) -> None:
        model = engine.status.model
        self._change(replace(self.message, model_id=model.id if model else ""))
        async with engine.submit(
            replace(request, answer_start=self._begun.text, owner=self.message.chat_id)
        ) as self._stream:
            if self._stopped:  # after its request was made, before it was submitted
                self._stream.cancel()
            async for event in self._stream:
                self._take(event, model.n_ctx if model else 0)
                if isinstance(event, TextDelta | ReasoningDelta | ToolCallDelta):
                    await self._stream.gather(READ_EVERY_S)

    def _take(self, event: Event, n_ctx: int) -> None:
        message = self.message
        self._writes = self._writes or isinstance(event, TextDelta | ReasoningDelta | ToolCallStarted)
        match event:
            case Started(n_prompt=n_prompt, n_cached=n_cached):
                own = max(0, n_prompt - self._begun.n_output)
                self.message = replace(message, n_prompt=own, n_cached=n_cached)
            case TextDelta(text=text, n_tokens=n_tokens):
                self._thinks_since = None
                self._change(replace(message, text=message.text + text, n_output=message.n_output + n_tokens))
            case ReasoningDelta(text=text, n_tokens=n_tokens):
                self._think(text, n_tokens)
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

    def _think(self, text: str, n_tokens: int) -> None:
        """A thought that was broken off before the first word is not gone on with: the model begins it anew."""
        now, message = time.monotonic(), self.message
        if self._thinks_since is None:
            if not self._thought and not self._begun.text:
                message = replace(message, reasoning="", reasoning_s=0.0)
            self._thought = True
            self._thinks_since = now - message.reasoning_s
        seconds = now - self._thinks_since
        n_output = message.n_output + n_tokens
        self._change(replace(message, reasoning=message.reasoning + text, reasoning_s=seconds, n_output=n_output))

    def _finish(self, event: Finished, n_ctx: int) -> None:
        """Counts are of the whole answer, also where it was gone on with; the wait is that for its first word."""
        usage, timings, begun = event.usage, event.timings, self._begun
        self.message = replace(
            self.message,
            n_prompt=max(0, usage.n_prompt - begun.n_output),
            n_cached=usage.n_cached,
            n_output=begun.n_output + usage.n_output,
            decode_s=begun.decode_s + timings.decode_s,
            first_token_s=begun.first_token_s or timings.first_token_s,
        )
        if event.reason == "cancelled":
            self._end("stopped")
        elif event.reason == "length":
            is_full = usage.n_prompt + usage.n_output >= n_ctx
            self._end("length", context_full_note() if is_full else "")
        else:
            self._end("complete")

    def _end(self, state: State, note: str = "") -> None:
        self._change(replace(self.message, state=state, note=note))

    def _change(self, message: ChatMessage) -> None:
        self.message = message
        self._unsaved.set()
        self._changed(message)

    async def _keep_saving(self) -> None:
        while True:
            await self._unsaved.wait()
            self._unsaved.clear()
            began = time.monotonic()
            await self._save(self.message)
            # Counted from its beginning, so that a slow disk does not cost its time twice.
            await asyncio.sleep(max(READ_EVERY_S, SAVE_EVERY_S - (time.monotonic() - began)))

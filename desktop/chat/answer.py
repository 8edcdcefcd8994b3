"""One answer being written, from the wait for the model to its last word."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from desktop import sentences
from desktop.store.records import ChatMessage, State
from desktop.tasks import TaskSet
from engine.errors import EngineError
from engine.events import Event, Failed, Finished, TextDelta
from engine.requests import ChatRequest

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.stream import RequestStream

SAVE_EVERY_S = 0.15
"""What a crash may cost is this, `READ_EVERY_S` and the time that one write takes; together they stay below 250 ms."""

READ_EVERY_S = 0.03
"""Words that come faster are taken together: a wake-up for each costs the model speed, and nobody sees it."""


class Answer:
    """`changed(message)` hears of every change, at once; `save(message)` is awaited at most every `SAVE_EVERY_S`.

    Loop's thread only."""

    def __init__(
        self,
        message: ChatMessage,
        changed: Callable[[ChatMessage], None],
        save: Callable[[ChatMessage], Awaitable[None]],
    ) -> None:
        self.message = message
        self._changed = changed
        self._save = save
        self._unsaved = asyncio.Event()
        self._stopped = False
        self._patience: asyncio.Timeout | None = None
        self._stream: RequestStream | None = None

    def stop(self) -> None:
        """Ends the answer where it stands; what was written stays. Idempotent."""
        self._stopped = True
        if self._stream is not None:
            self._stream.cancel()
        elif self._patience is not None and not self._patience.expired():
            self._patience.reschedule(asyncio.get_running_loop().time())

    async def run(self, tasks: TaskSet, ready: Callable[[], Awaitable[Engine]], request: ChatRequest) -> None:
        """Writes the answer to its end. The engine's errors end it as failed; none is raised."""
        saving = tasks.spawn(self._keep_saving(), f"save answer {self.message.id}")
        try:
            engine = await self._wait_for(ready)
            if engine is None:
                self._end("stopped")
            else:
                await self._read(engine, request)
        except EngineError as error:
            self._end("failed", sentences.of(error))
        except asyncio.CancelledError:
            self._end("stopped")
            raise
        finally:
            saving.cancel()
            await self._save(self.message)

    async def _wait_for(self, ready: Callable[[], Awaitable[Engine]]) -> Engine | None:
        """None where the answer was stopped before a model was there."""
        if self._stopped:
            return None
        try:
            async with asyncio.timeout(None) as self._patience:
                return await ready()
        except TimeoutError:
            return None

    async def _read(self, engine: Engine, request: ChatRequest) -> None:
        model = engine.status.model
        self._change(replace(self.message, model_id=model.id if model else ""))
        async with engine.submit(request) as self._stream:
            if self._stopped:
                self._stream.cancel()
            async for event in self._stream:
                self._take(event)
                if isinstance(event, TextDelta):
                    await asyncio.sleep(READ_EVERY_S)

    def _take(self, event: Event) -> None:
        match event:
            case TextDelta(text=text):
                self._change(replace(self.message, text=self.message.text + text))
            case Finished():
                self._finish(event)
            case Failed(error=error):
                self._end("failed", sentences.of(error))

    def _finish(self, event: Finished) -> None:
        self.message = replace(
            self.message,
            n_prompt=event.usage.n_prompt,
            n_cached=event.usage.n_cached,
            n_output=event.usage.n_output,
            decode_s=event.timings.decode_s,
            first_token_s=event.timings.first_token_s,
        )
        if event.reason == "cancelled":
            self._end("stopped")
        else:
            self._end("complete", sentences.ran_out_of_room() if event.reason == "length" else "")

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
            await self._save(self.message)
            await asyncio.sleep(SAVE_EVERY_S)

"""A `ChatEngine` like one on another server: it supports less than the local engine, and knows less about its model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.chat_engine import Capabilities, EngineStatus, Queries
from engine.errors import EngineError, NotLoaded, Unsupported
from engine.events import Embeddings, Event, Failed, Finished, Started, TextDelta, Timings, Usage
from engine.prompt.context_fit import ContextFit
from engine.request_state import RequestProgress
from engine.requests import ChatRequest, EmbedRequest, Message, Request
from engine.status import ModelProps
from engine.stream import RequestStream


@dataclass(frozen=True)
class LimitedModel:
    id: str = "big"
    name: str = "Big"
    n_ctx: int = 0
    loaded_at: float = 0.0
    host: str = "gpu-box.lan"


@dataclass(frozen=True)
class LimitedStatus:
    state: Literal["empty", "loading", "ready", "dead", "closed"] = "ready"
    model: LimitedModel | None = LimitedModel()
    progress: float = 1.0
    error: EngineError | None = None


class LimitedQueries:
    """Estimates token counts as a quarter of the length; everything else is not supported."""

    def __init__(self, model: LimitedModel) -> None:
        self._model = model

    async def props(self) -> ModelProps:
        raise Unsupported("properties of the model")

    async def fit(self, messages: Sequence[Message]) -> ContextFit:
        n = sum(len(each.content) for each in messages) // 4
        return ContextFit(n, self._model.n_ctx, (), n, True)

    async def count_tokens(self, request: ChatRequest) -> int:
        return sum(len(each.content) for each in request.messages) // 4

    async def render(self, request: ChatRequest) -> str:
        raise Unsupported("rendered prompts")

    async def tokenize(self, text: str, *, add_special: bool = True, parse_special: bool = True) -> tuple[int, ...]:
        raise Unsupported("token ids")

    async def pieces(self, tokens: Sequence[int]) -> tuple[bytes, ...]:
        raise Unsupported("token ids")

    async def fim_prompt(self, before: str, behind: str, *, context: str = "", start: str = "") -> tuple[int, ...]:
        raise Unsupported("fill-in-the-middle")


class LimitedEngine:
    """Answers each request with `answer`, or fails with `error`. `submitted` are the requests that were sent."""

    def __init__(
        self,
        capabilities: Capabilities = Capabilities(),
        answer: str = "Hello there.",
        error: EngineError | None = None,
        status: LimitedStatus = LimitedStatus(),
    ) -> None:
        self.capabilities = capabilities
        self.answer = answer
        self.error = error
        self.status: EngineStatus = status
        self.submitted: list[Request] = []

    @property
    def queries(self) -> Queries:
        assert isinstance(self.status.model, LimitedModel)
        return LimitedQueries(self.status.model)

    def submit(self, request: Request) -> RequestStream:
        if self.status.model is None:
            raise NotLoaded
        self.submitted.append(request)
        stream = RequestStream(request.id, asyncio.get_running_loop(), self.cancel)
        events: list[Event] = [
            Started(10, 0),
            TextDelta(self.answer, 3),
            Finished("stop", Usage(10, 0, 3), Timings(0.0, 0.1, 0.1, 0.1)),
        ]
        stream.deliver(events if self.error is None else [Failed(self.error)])
        return stream

    def cancel(self, request_id: str) -> None:
        pass

    def progress(self, request_id: str) -> RequestProgress | None:
        return None

    async def embed(self, request: EmbedRequest) -> Embeddings:
        raise AssertionError("the caller asks for the capability first")

    def forget(self, owners: Collection[str]) -> None:
        pass

    def watch(self, listener: Callable[[EngineStatus], None]) -> Callable[[], None]:
        listener(self.status)
        return lambda: None

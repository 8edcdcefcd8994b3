"""One request of a tool, as a person sees it: who asks, and how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from starlette.types import Scope

from engine.errors import EngineError
from engine.events import Embeddings, Event, Failed, Finished
from engine.ticket import Progress

State = Literal["queued", "reading", "writing", "embedding", "finished", "cancelled", "failed"]

MAX_BODY_SHOWN = 65536
"""Bytes of a kept body: a hundred megabytes of code in a prompt are not worth their memory."""

KEY_NAME, BODY, REQUEST_ID = "inglenook.key_name", "inglenook.body", "inglenook.request_id"
"""Where the guard and the reader of bodies leave word in a request's scope."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the address, the name of the key (never the key), the path, and the body where bodies are kept."""

    client: str
    key: str
    path: str
    body: str | None = None

    @property
    def dialect(self) -> str:
        path = self.path.removeprefix("/v1")
        if path.startswith("/messages"):
            return "anthropic"
        if path.startswith("/api/"):
            return "ollama"
        return "llama.cpp" if path in ("/completion", "/infill") else "openai"


def caller_of(scope: Scope) -> Caller:
    peer, body = scope.get("client"), scope.get(BODY)
    shown = None if body is None else body[:MAX_BODY_SHOWN].decode("utf-8", "replace")
    return Caller(peer[0] if peer else "", scope.get(KEY_NAME, ""), scope["path"], shown)


@dataclass(frozen=True, slots=True)
class CallView:
    """A call at one moment. `queue_place` counts from 1, 0 where it does not wait. Seconds."""

    id: str
    client: str
    key: str
    dialect: str
    path: str
    state: State
    began_at: float
    """Unix time."""
    age_s: float
    queue_place: int
    n_prompt: int
    n_cached: int
    n_read: int
    """Of the prompt, with what was cached."""
    n_output: int
    tokens_per_s: float
    body: str | None


@dataclass(slots=True)
class Call:
    """`progress` asks the engine, None where it knows no such request (any more); `cancel` ends it, from any
    thread."""

    id: str
    caller: Caller
    cancel: Callable[[], object]
    progress: Callable[[], Progress | None]
    began_at: float = field(default_factory=time.time)
    said: list[str] = field(default_factory=list)
    """The answer in pieces, where bodies are kept."""
    _began: float = field(default_factory=time.monotonic)
    _ended: float | None = None
    _last: Event | Embeddings | EngineError | None = None

    def end(self, last: Event | Embeddings | EngineError | None = None) -> None:
        """With its last event, or how embedding ended; None where it was given up before. Only the first end counts."""
        if self._ended is None:
            self._ended, self._last = time.monotonic(), last

    def view(self) -> CallView:
        now = time.monotonic() if self._ended is None else self._ended
        found = Progress()
        match self._last:
            case Finished(reason=reason, usage=usage, timings=timings):
                state: State = "cancelled" if reason == "cancelled" else "finished"
                found = Progress(0, usage.n_prompt, usage.n_cached, usage.n_prompt, usage.n_output, timings.decode_s)
            case Embeddings(n_prompt=n_prompt):
                state, found = "finished", Progress(0, n_prompt, 0, n_prompt, 0, 0.0)
            case Failed() | EngineError():
                state = "failed"
            case _ if self._ended is not None:
                state = "cancelled"
            case _:
                asked = self.progress()
                found = asked or found
                state = "embedding" if asked is None else _state(found)
        return CallView(
            self.id,
            self.caller.client,
            self.caller.key,
            self.caller.dialect,
            self.caller.path,
            state,
            self.began_at,
            round(now - self._began, 3),
            found.queue_place,
            found.n_prompt,
            found.n_cached,
            found.n_read,
            found.n_output,
            round(found.n_output / found.decode_s, 2) if found.decode_s > 0 else 0.0,
            self.caller.body,
        )


def _state(found: Progress) -> State:
    if found.queue_place:
        return "queued"
    return "writing" if found.n_output else "reading"

"""One request of a tool, as a person sees it: who asks, and how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from starlette.types import Scope

from api.keyring import KeyHolder
from engine.errors import EngineError
from engine.events import Embeddings, Event, Failed, Finished
from engine.request_state import RequestProgress

State = Literal["queued", "reading", "writing", "embedding", "finished", "cancelled", "failed"]

MAX_BODY_SHOWN = 65536
"""Bytes of a kept body: a hundred megabytes of code in a prompt are not worth their memory."""

HOLDER, KEYS, BODY, REQUEST_ID = "inglenook.holder", "inglenook.keys", "inglenook.body", "inglenook.request_id"
"""What the guard and the reader of bodies put into a request's scope: the `KeyHolder`, the `KeyRing`, bytes, an id."""

NO_HOLDER = KeyHolder("", "nobody")
"""Of a request that needs no key."""


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """Who asks: the address, the name of the key (never the key), the path, and the body where bodies are kept."""

    client: str
    holder: KeyHolder
    path: str
    body: str | None = None

    @property
    def key(self) -> str:
        return self.holder.name

    @property
    def dialect(self) -> str:
        path = self.path.removeprefix("/v1")
        if path.startswith("/messages"):
            return "anthropic"
        if path.startswith("/api/"):
            return "ollama"
        return "llama.cpp" if path in ("/completion", "/infill") else "openai"


def client_info(scope: Scope) -> ClientInfo:
    peer, body = scope.get("client"), scope.get(BODY)
    shown = None if body is None else body[:MAX_BODY_SHOWN].decode("utf-8", "replace")
    return ClientInfo(peer[0] if peer else "", holder_of(scope), scope["path"], shown)


def holder_of(scope: Scope) -> KeyHolder:
    """Whose key came with the request."""
    holder: KeyHolder = scope.get(HOLDER, NO_HOLDER)
    return holder


@dataclass(frozen=True, slots=True)
class RequestView:
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


@dataclass(frozen=True, slots=True)
class QueryFinished:
    """How a question about the model ends, such as how many tokens a text has."""


Ending = Event | Embeddings | QueryFinished | EngineError | None
"""The last event of an answer, the result of another request, or what went wrong."""


@dataclass(slots=True)
class RequestRecord:
    """`progress` asks the engine, None where it knows no such request (any more); `cancel` ends it, from any
    thread. `otherwise` is the state while it is under way and the engine knows nothing."""

    id: str
    caller: ClientInfo
    cancel: Callable[[], object]
    progress: Callable[[], RequestProgress | None]
    otherwise: State
    began_at: float = field(default_factory=time.time)
    said: list[str] = field(default_factory=list)
    """The answer in pieces, where bodies are kept."""
    last: Ending = None
    """How it ended."""
    _began: float = field(default_factory=time.monotonic)
    _ended: float | None = None

    def end(self, last: Ending = None) -> None:
        """With how it ended; None where it was given up before. Only the first end counts."""
        if self._ended is None:
            self._ended, self.last = time.monotonic(), last

    def view(self) -> RequestView:
        now = time.monotonic() if self._ended is None else self._ended
        found = RequestProgress()
        match self.last:
            case Finished(reason=reason) as last:
                state: State = "cancelled" if reason == "cancelled" else "finished"
                found = at_end(last)
            case Embeddings(n_prompt=n_prompt):
                state, found = "finished", RequestProgress(0, n_prompt, 0, n_prompt, 0, 0.0)
            case QueryFinished():
                state = "finished"
            case Failed() | EngineError():
                state = "failed"
            case _ if self._ended is not None:
                state = "cancelled"
            case _:
                asked = self.progress()
                found = asked or found
                state = self.otherwise if asked is None else _state(found)
        return RequestView(
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


def at_end(last: Finished) -> RequestProgress:
    """The progress of an answer that is complete."""
    usage = last.usage
    return RequestProgress(0, usage.n_prompt, usage.n_cached, usage.n_prompt, usage.n_output, last.timings.decode_s)


def _state(found: RequestProgress) -> State:
    if found.queue_place:
        return "queued"
    return "writing" if found.n_output else "reading"

"""Records of client requests (sender, progress and result), and totals over all of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from starlette.types import Scope

from api.authentication import KeyHolder
from engine.chat_engine import ChatModel
from engine.errors import EngineError
from engine.events import DraftCounts, DraftKind, Embeddings, Event, Failed, Finished, Scores, TextDelta
from engine.request_state import RequestProgress
from engine.requests import Request

State = Literal["queued", "reading", "writing", "embedding", "finished", "cancelled", "failed"]

MAX_BODY_SHOWN = 65536
"""Maximum number of bytes that are stored of a request body."""

HOLDER, KEYS, BODY, REQUEST_ID = "inglenook.holder", "inglenook.keys", "inglenook.body", "inglenook.request_id"
"""Names of entries in the ASGI scope. `SecurityMiddleware` stores the `KeyHolder`, the `KeyRing` and the request's id
under these names; `read_body` stores the bytes of the body."""

NO_HOLDER = KeyHolder("", "nobody")
"""The holder for requests to routes that need no key."""


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """The sender of a request: its IP address, the holder of its key, the path, and the body if the setting
    `keep_bodies` is on."""

    address: str
    holder: KeyHolder
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


def client_info(scope: Scope) -> ClientInfo:
    peer, body = scope.get("client"), scope.get(BODY)
    kept = None if body is None else body[:MAX_BODY_SHOWN].decode("utf-8", "replace")
    return ClientInfo(peer[0] if peer else "", holder_of(scope), scope["path"], kept)


def holder_of(scope: Scope) -> KeyHolder:
    """The holder of the key that was sent with the request."""
    holder: KeyHolder = scope.get(HOLDER, NO_HOLDER)
    return holder


@dataclass(frozen=True, slots=True)
class ModelNames:
    """The model of a request, and the machine on which it runs; empty for this one."""

    model: str = ""
    host: str = ""

    @classmethod
    def of(cls, model: ChatModel | None) -> ModelNames:
        return cls(model.id, model.host) if model is not None else cls()


@dataclass(frozen=True, slots=True)
class RequestView:
    """The state of a record at one moment, as /v1/activity and the window show it. `queue_place` counts from 1; 0 means
    not queued."""

    id: str
    client: str
    key: str
    dialect: str
    path: str
    state: State
    began_at: float
    """Unix time at which the request began."""
    age_s: float
    queue_place: int
    n_prompt: int
    n_cached: int
    n_read: int
    """Prompt tokens processed so far, including cached ones."""
    n_output: int
    tokens_per_s: float
    body: str | None
    model: str
    """Name of the model; empty if none is loaded."""
    host: str
    """Name of the machine that computes the answer; empty for this one."""


@dataclass(frozen=True, slots=True)
class QueryFinished:
    """Marks a finished query about the model, such as a token count. The query's result is not recorded."""


Result = Event | Embeddings | Scores | QueryFinished | EngineError | None
"""The last event of an answer, the result of an embedding, reranking or query, or the error with which the request
failed."""


@dataclass(slots=True)
class RequestRecord:
    """The record of one request.

    `cancel` may be called on any thread. `progress` returns the engine's report on the request, or None if the engine
    does not know the request. A running request without a report has the state `default_state`."""

    id: str
    client: ClientInfo
    cancel: Callable[[], object]
    progress: Callable[[], RequestProgress | None]
    default_state: State
    request: Request | None = None
    """The request for an answer; None for embeddings and queries."""
    names: ModelNames = ModelNames()
    began_at: float = field(default_factory=time.time)
    texts: list[str] = field(default_factory=list)
    """The pieces of the answer's text; empty unless the setting `keep_bodies` is on."""
    result: Result = None
    _began: float = field(default_factory=time.monotonic)
    _ended: float | None = None

    def add(self, event: Event) -> None:
        if isinstance(event, TextDelta):
            if self.client.body is not None:
                self.texts.append(event.text)
        elif isinstance(event, Finished | Failed):
            self.end(event)

    def end(self, result: Result = None) -> None:
        """Records the result. With `result` None, the client disconnected or the request was stopped. Later calls
        change nothing."""
        if self._ended is None:
            self._ended, self.result = time.monotonic(), result

    def view(self) -> RequestView:
        now = time.monotonic() if self._ended is None else self._ended
        state, progress = self._state()
        return RequestView(
            self.id,
            self.client.address,
            self.client.holder.name,
            self.client.dialect,
            self.client.path,
            state,
            self.began_at,
            round(now - self._began, 3),
            progress.queue_place,
            progress.n_prompt,
            progress.n_cached,
            progress.n_read,
            progress.n_output,
            round(progress.n_output / progress.decode_s, 2) if progress.decode_s > 0 else 0.0,
            self.client.body,
            self.names.model,
            self.names.host,
        )

    def _state(self) -> tuple[State, RequestProgress]:
        match self.result:
            case Finished(reason=reason) as last:
                return "cancelled" if reason == "cancelled" else "finished", final_progress(last)
            case Embeddings(n_prompt=n_prompt) | Scores(n_prompt=n_prompt):
                return "finished", RequestProgress(0, n_prompt, 0, n_prompt, 0, 0.0)
            case QueryFinished():
                return "finished", RequestProgress()
            case Failed() | EngineError():
                return "failed", RequestProgress()
        if self._ended is not None:
            return "cancelled", RequestProgress()
        progress = self.progress()
        if progress is None:
            return self.default_state, RequestProgress()
        if progress.queue_place:
            return "queued", progress
        return "writing" if progress.n_output else "reading", progress


def final_progress(last: Finished) -> RequestProgress:
    """Returns the progress of a complete answer."""
    usage = last.usage
    return RequestProgress(
        n_prompt=usage.n_prompt,
        n_cached=usage.n_cached,
        n_read=usage.n_prompt,
        n_output=usage.n_output,
        n_drafted=usage.n_drafted,
        n_accepted=usage.n_accepted,
        decode_s=last.timings.decode_s,
    )


@dataclass(slots=True)
class KeyUsage:
    """The number of requests and tokens for one key since the start of the endpoint."""

    n_requests: int = 0
    n_tokens_in: int = 0
    """Prompt tokens, including cached ones."""
    n_tokens_out: int = 0

    def add(self, other: KeyUsage) -> None:
        self.n_requests += other.n_requests
        self.n_tokens_in += other.n_tokens_in
        self.n_tokens_out += other.n_tokens_out

    def count(self, ended: RequestView) -> None:
        self.n_requests += 1
        self.n_tokens_in += ended.n_prompt
        self.n_tokens_out += ended.n_output


@dataclass(slots=True)
class Totals:
    """Totals over all answers since the start of the endpoint. Used on the endpoint's event loop only."""

    n_finished: int = 0
    n_cancelled: int = 0
    n_failed: int = 0
    n_read: int = 0
    """Prompt tokens that were computed, without cached ones."""
    n_cached: int = 0
    n_output: int = 0
    n_drafted: int = 0
    n_accepted: int = 0
    drafts: dict[DraftKind, DraftCounts] = field(default_factory=dict)
    """The draft tokens of each kind."""
    prefill_s: float = 0.0
    decode_s: float = 0.0

    def count(self, event: Event) -> None:
        """Counts an answer if `event` is its last one; other events change nothing."""
        match event:
            case Failed():
                self.n_failed += 1
            case Finished(reason=reason, usage=usage, timings=timings):
                self.n_cancelled += reason == "cancelled"
                self.n_finished += reason != "cancelled"
                self.n_read += usage.n_prompt - usage.n_cached
                self.n_cached += usage.n_cached
                self.n_output += usage.n_output
                self.n_drafted += usage.n_drafted
                self.n_accepted += usage.n_accepted
                for each in usage.drafts:
                    self.drafts[each.kind] = each.plus(self.drafts.get(each.kind))
                self.prefill_s += timings.prefill_s
                self.decode_s += timings.decode_s

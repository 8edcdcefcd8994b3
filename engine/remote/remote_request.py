"""State, progress and timing of one request to another server."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from engine.events import (
    Event,
    Failed,
    Finished,
    FinishReason,
    PromptProgress,
    ReasoningDelta,
    Started,
    TextDelta,
    Timings,
    Usage,
)
from engine.remote.answer_reader import AnswerReader
from engine.remote.remote_thread import RemoteTask
from engine.request_state import RequestProgress
from engine.requests import Request
from engine.stream import RequestStream


class RemoteRequest:
    """A request from `submit` to its last event. `cancelled` may be set on any thread; everything else is written by
    the remote thread."""

    def __init__(self, request: Request, stream: RequestStream) -> None:
        self.request = request
        self.stream = stream
        self.submitted_at = time.monotonic()
        self.cancelled = threading.Event()
        self.task: RemoteTask | None = None
        self.was_answered = False
        """Whether the server began to answer. From then on, the request is not sent again."""
        self.sent_at: float | None = None
        """When the request was sent the last time."""
        self.length_field = ""
        """The field with which the maximum length was sent the last time."""
        self.first_at: float | None = None
        """When the first token arrived."""
        self.n_prompt = 0
        self.n_cached = 0
        self.n_read = 0
        self.n_output = 0
        """Number of tokens: while they arrive, that of the events with text, unless the server tells more."""

    def receive(self, reader: AnswerReader, block: Sequence[bytes]) -> None:
        """Reads server-sent events that arrived together, and delivers what they mean. Raises AnswerFailed."""
        events: list[Event] = []
        try:
            for data in block:
                events += reader.add(data)
                if reader.is_done:
                    break
        finally:
            self.deliver(events)

    def deliver(self, events: Sequence[Event]) -> None:
        for event in events:
            match event:
                case TextDelta(n_tokens=n) | ReasoningDelta(n_tokens=n):
                    self.n_output += n
                case Started(n_prompt=n_prompt, n_cached=n_cached):
                    self.first_at = time.monotonic()
                    self.n_prompt, self.n_cached = n_prompt, n_cached
                case PromptProgress(n_prompt=n_prompt, n_cached=n_cached, n_read=n_read):
                    self.n_prompt, self.n_cached, self.n_read = n_prompt, n_cached, n_read
        if events:
            self.stream.deliver(events)

    def progress(self) -> RequestProgress:
        """May be called on any thread."""
        sent, first, now = self.sent_at, self.first_at, time.monotonic()
        return RequestProgress(
            n_prompt=self.n_prompt,
            n_cached=self.n_cached,
            n_read=self.n_read if first is None else self.n_prompt,
            n_output=self.n_output,
            decode_s=0.0 if first is None else now - first,
            prefill_s=0.0 if sent is None else (now if first is None else first) - sent,
            waits_for="preparation" if sent is None else None,
            is_stopping=self.cancelled.is_set(),
        )

    def finished(self, reason: FinishReason, usage: Usage | None = None, stop_string: str | None = None) -> Finished:
        """The last event of a request that was completed or cancelled. The times are those seen from here."""
        now = time.monotonic()
        sent = now if self.sent_at is None else self.sent_at
        first = now if self.first_at is None else self.first_at
        timings = Timings(
            queue_s=sent - self.submitted_at,
            prefill_s=first - sent,
            decode_s=now - first,
            first_token_s=0.0 if self.first_at is None else first - self.submitted_at,
        )
        return Finished(reason, usage or Usage(self.n_prompt, self.n_cached, self.n_output), timings, stop_string)


class RemoteRequests:
    """The requests that have not sent their last event. May be used on any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[str, RemoteRequest] = {}

    def open(self, state: RemoteRequest) -> None:
        """Adds a request. Raises ValueError if a request with the same id is open."""
        with self._lock:
            if state.request.id in self._states:
                raise ValueError(f"request {state.request.id} is already under way")
            self._states[state.request.id] = state

    def find(self, request_id: str) -> RemoteRequest | None:
        with self._lock:
            return self._states.get(request_id)

    def all(self) -> list[RemoteRequest]:
        with self._lock:
            return list(self._states.values())

    def close(self, state: RemoteRequest, last: Finished | Failed) -> None:
        """Sends the last event and removes the request. Does nothing if it was closed before."""
        with self._lock:
            if self._states.get(state.request.id) is not state:
                return
            del self._states[state.request.id]
        state.stream.deliver([last])

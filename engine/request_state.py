"""A request on its way through the engine: who asked, what became of it, and how long it took."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass

from engine.errors import EngineError
from engine.events import Event, Failed, Finished, FinishReason, Timings, Usage
from engine.output.chat_format import OutputParserConfig
from engine.output.constraints.grammar_constraint import GrammarConstraint
from engine.requests import Request
from engine.scheduler.sequence import Sequence, WaitReason
from engine.stream import RequestStream


@dataclass(frozen=True, slots=True)
class Progress:
    """State of a request at one moment. `queue_place` counts from 1; 0 once the request was given a slot.

    `n_prompt` is 0 until the prompt is tokenised. `n_read / n_prompt` is the share of the prompt that is computed."""

    queue_place: int = 0
    n_prompt: int = 0
    n_cached: int = 0
    n_read: int = 0
    """Computed tokens of the prompt, including the cached ones."""
    n_output: int = 0
    decode_s: float = 0.0
    prefill_s: float = 0.0
    """Seconds spent on the prompt so far."""
    waits_for: WaitReason | None = None
    """Why the last step did nothing for this request; None while its prompt is read or its answer written."""
    is_stopping: bool = False
    """Cancelled, but its last event has not been sent yet."""


class RequestState:
    """Joins a request with its stream. `cancelled` may be set on any thread; the rest belongs to whoever holds
    the request: first the preparing thread, then the native one."""

    def __init__(self, request: Request, stream: RequestStream, submitted_at: float) -> None:
        self.request = request
        self.stream = stream
        self.submitted_at = submitted_at
        self.cancelled = threading.Event()
        self.prompt: tuple[int, ...] = ()
        self.parser_config: OutputParserConfig | None = None
        """How the answer is taken apart, where it is more than text."""
        self.grammar_constraint: GrammarConstraint | None = None
        """Keeps the answer to the request's constraint, or its calls to their tools, where there are any."""
        self.n_output = 0
        self.n_cached = 0
        self.n_read = 0
        """Tokens of the prompt, and the answer's after them, that are in the KV memory."""
        self.stop_string: str | None = None
        """The one that ended the answer."""
        self.admitted_at: float | None = None
        self.first_token_at: float | None = None
        self.sequence: Sequence | None = None
        """Set when the native thread has queued the request."""
        self.snapshot_requested = False
        """Whether it has waited for a snapshot from disk; it does so once."""

    def send(self, events: SequenceOf[Event]) -> None:
        self.stream.deliver(events)

    def progress(self, queue_place: int) -> Progress:
        """As it is now, from any thread: each number is true, if not all of the same step."""
        admitted, first, now = self.admitted_at, self.first_token_at, time.monotonic()
        n_prompt = len(self.prompt)
        return Progress(
            queue_place,
            n_prompt=n_prompt,
            n_cached=self.n_cached,
            n_read=min(max(self.n_read, self.n_cached), n_prompt),
            n_output=self.n_output,
            decode_s=0.0 if first is None else now - first,
            prefill_s=0.0 if admitted is None else (now if first is None else first) - admitted,
            waits_for=self.waits_for,
            is_stopping=self.cancelled.is_set(),
        )

    @property
    def waits_for(self) -> WaitReason | None:
        """Any thread."""
        if self.sequence is not None:
            return self.sequence.waits_for
        return "snapshot" if self.snapshot_requested else "preparation"

    def finished(self, reason: FinishReason, now: float) -> Finished:
        """The last event of a request that ended without an error."""
        admitted = now if self.admitted_at is None else self.admitted_at
        first = now if self.first_token_at is None else self.first_token_at
        timings = Timings(
            queue_s=admitted - self.submitted_at,
            prefill_s=first - admitted,
            decode_s=now - first,
            first_token_s=first - self.submitted_at if self.first_token_at is not None else 0.0,
        )
        return Finished(reason, Usage(len(self.prompt), self.n_cached, self.n_output), timings, self.stop_string)


def _likely_order(state: RequestState) -> tuple[bool, float]:
    """The scheduler's order; a prompt that is not tokenised yet comes last of its origin."""
    return state.request.origin != "window", float("inf") if state.sequence is None else state.sequence.deadline


class RequestRegistry:
    """Every request that has not had its last event. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tickets: dict[str, RequestState] = {}
        self._idle_since = time.monotonic()

    @property
    def idle_since(self) -> float | None:
        """Since when there is none, by the monotonic clock; None while there is one."""
        with self._lock:
            return None if self._tickets else self._idle_since

    def open(self, state: RequestState) -> None:
        """Raises ValueError where a request of this id is under way."""
        with self._lock:
            if state.request.id in self._tickets:
                raise ValueError(f"request {state.request.id} is already under way")
            self._tickets[state.request.id] = state

    def cancel(self, request_id: str) -> bool:
        """Marks a request as cancelled; False where there is none."""
        with self._lock:
            state = self._tickets.get(request_id)
        if state is None or state.cancelled.is_set():
            return False
        state.cancelled.set()
        return True

    def progress(self, request_id: str) -> Progress | None:
        """None where there is no such request."""
        with self._lock:
            state = self._tickets.get(request_id)
            waiting = [each for each in self._tickets.values() if each.admitted_at is None]
        if state is None:
            return None
        waiting.sort(key=_likely_order)
        return state.progress(waiting.index(state) + 1 if state in waiting else 0)

    def cancel_all(self) -> None:
        with self._lock:
            states = list(self._tickets.values())
        for state in states:
            state.cancelled.set()

    def close(self, state: RequestState, last: Finished | Failed, before: SequenceOf[Event] = ()) -> None:
        """Sends the last event, with what came just before it, and forgets the request. Does nothing the
        second time, so that each request has one last event whoever ends it first."""
        with self._lock:
            if self._tickets.get(state.request.id) is not state:
                return
            del self._tickets[state.request.id]
            self._idle_since = time.monotonic()
        state.send([*before, last])

    def fail_all(self, error: EngineError) -> None:
        """Ends whatever is left: a request that came while the engine closed."""
        with self._lock:
            states = list(self._tickets.values())
        for state in states:
            cancelled = state.cancelled.is_set()
            self.close(state, state.finished("cancelled", state.submitted_at) if cancelled else Failed(error))

"""State, progress and timing of submitted requests, from `submit` to their last event."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import EngineError
from engine.events import (
    DraftCounts,
    DraftKind,
    Event,
    Failed,
    Finished,
    FinishReason,
    PromptProgress,
    Timings,
    Usage,
)
from engine.output.chat_format import OutputParserConfig
from engine.output.constraints.grammar_constraint import GrammarConstraint
from engine.requests import Request
from engine.scheduler.sequence import SequenceState, WaitReason
from engine.stream import RequestStream


@dataclass(frozen=True, slots=True)
class RequestProgress:
    """Progress of a request at one moment."""

    queue_place: int = 0
    """Place in the queue, from 1; 0 after the request was admitted."""
    n_prompt: int = 0
    """Number of prompt tokens; 0 until the prompt is tokenized."""
    n_cached: int = 0
    n_read: int = 0
    """Number of prompt tokens that were computed or cached."""
    n_output: int = 0
    decode_s: float = 0.0
    prefill_s: float = 0.0
    waits_for: WaitReason | None = None
    """Why the last step computed no token of the request; None if it computed some."""
    is_stopping: bool = False
    """Whether the request was cancelled, but its last event has not been sent yet."""
    n_drafted: int = 0
    n_accepted: int = 0


class RequestState:
    """A request, its stream, and the state of its processing. `cancelled` may be set on any thread. Everything else is
    written first by the thread that builds the prompt, then by the native thread (the one that decodes)."""

    def __init__(self, request: Request, stream: RequestStream, submitted_at: float) -> None:
        self.request = request
        self.stream = stream
        self.submitted_at = submitted_at
        self.cancelled = threading.Event()
        self.prompt: tuple[int, ...] = ()
        self.parser_config: OutputParserConfig | None = None
        """How the answer is parsed; None if the answer is plain text."""
        self.grammar_constraint: GrammarConstraint | None = None
        """The grammar that constrains sampling; None if sampling is unconstrained."""
        self.n_output = 0
        self.n_cached = 0
        self.n_computed = 0
        """Number of prompt and answer tokens that are in the KV memory."""
        self.n_drafted = 0
        """Number of draft tokens that were verified; `n_accepted` of them became part of the answer."""
        self.n_accepted = 0
        self._drafts: dict[DraftKind, DraftCounts] = {}
        self.stop_string: str | None = None
        """The stop string that ended the answer, if one did."""
        self.admitted_at: float | None = None
        self.first_token_at: float | None = None
        self.sequence: SequenceState | None = None
        """The request's sequence in the scheduler. None until the scheduler gets the request."""
        self.snapshot_requested = False
        """Whether reading a KV snapshot from disk was started for the request. This happens at most once."""

    def count_draft(self, kind: DraftKind, n_drafted: int, n_accepted: int) -> None:
        """Counts a verified draft. Native thread only."""
        self.n_drafted += n_drafted
        self.n_accepted += n_accepted
        self._drafts[kind] = DraftCounts(kind, n_drafted, n_accepted).plus(self._drafts.get(kind))

    def progress(self, queue_place: int) -> RequestProgress:
        """Returns the current progress. May be called on any thread; the numbers can come from two successive steps."""
        admitted, first, now = self.admitted_at, self.first_token_at, time.monotonic()
        n_prompt = len(self.prompt)
        return RequestProgress(
            queue_place,
            n_prompt=n_prompt,
            n_cached=self.n_cached,
            n_read=min(max(self.n_computed, self.n_cached), n_prompt),
            n_output=self.n_output,
            n_drafted=self.n_drafted,
            n_accepted=self.n_accepted,
            decode_s=0.0 if first is None else now - first,
            prefill_s=0.0 if admitted is None else (now if first is None else first) - admitted,
            waits_for=self.waits_for,
            is_stopping=self.cancelled.is_set(),
        )

    def prompt_progress(self, now: float) -> PromptProgress:
        """Returns the event for a request whose prompt is being read. Native thread only."""
        n_prompt, began = len(self.prompt), now if self.admitted_at is None else self.admitted_at
        return PromptProgress(n_prompt, self.n_cached, min(max(self.n_computed, self.n_cached), n_prompt), now - began)

    @property
    def waits_for(self) -> WaitReason | None:
        """What the request waits for; None if the last step computed some of its tokens. May be read on any thread."""
        if self.sequence is not None:
            return self.sequence.waits_for
        return "snapshot" if self.snapshot_requested else "preparation"

    @property
    def estimated_order(self) -> tuple[int, float]:
        """Sort key for places in the queue: the scheduler's order. Within a priority, requests that are not tokenized
        yet are last."""
        return self.request.priority, float("inf") if self.sequence is None else self.sequence.deadline

    def finished(self, reason: FinishReason, now: float) -> Finished:
        """Returns the last event of a request that was completed or cancelled."""
        admitted = now if self.admitted_at is None else self.admitted_at
        first = now if self.first_token_at is None else self.first_token_at
        timings = Timings(
            queue_s=admitted - self.submitted_at,
            prefill_s=first - admitted,
            decode_s=now - first,
            first_token_s=first - self.submitted_at if self.first_token_at is not None else 0.0,
        )
        drafts = tuple(self._drafts.values())
        usage = Usage(len(self.prompt), self.n_cached, self.n_output, self.n_drafted, self.n_accepted, drafts)
        return Finished(reason, usage, timings, self.stop_string)

    def ended_by(self, error: EngineError, now: float) -> Finished | Failed:
        """Returns the last event of a request that `error` ends. If the request was cancelled, this is `Finished`, not
        `Failed`."""
        return self.finished("cancelled", now) if self.cancelled.is_set() else Failed(error)


class RequestRegistry:
    """All requests that have not sent their last event. May be used on any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[str, RequestState] = {}
        self._idle_since = time.monotonic()

    @property
    def idle_since(self) -> float | None:
        """Time (`time.monotonic`) at which the last open request ended, or the registry was created; None while a
        request is open."""
        with self._lock:
            return None if self._states else self._idle_since

    def open(self, state: RequestState) -> None:
        """Adds a request. Raises ValueError if a request with the same id is open."""
        with self._lock:
            if state.request.id in self._states:
                raise ValueError(f"request {state.request.id} is already under way")
            self._states[state.request.id] = state

    def cancel(self, request_id: str) -> bool:
        """Marks a request as cancelled. False if it is unknown or already cancelled."""
        with self._lock:
            state = self._states.get(request_id)
        if state is None or state.cancelled.is_set():
            return False
        state.cancelled.set()
        return True

    def cancel_all(self) -> None:
        for state in self._open_states():
            state.cancelled.set()

    def progress(self, request_id: str) -> RequestProgress | None:
        """Returns the progress of a request; None if the id is unknown."""
        states = self._open_states()
        state = next((each for each in states if each.request.id == request_id), None)
        if state is None:
            return None
        waiting = sorted((each for each in states if each.admitted_at is None), key=lambda each: each.estimated_order)
        return state.progress(waiting.index(state) + 1 if state in waiting else 0)

    def close(self, state: RequestState, last: Finished | Failed, before: Sequence[Event] = ()) -> None:
        """Sends the events in `before`, then the request's last event, and removes the request. Does nothing if the
        request was already closed, so that each request has exactly one last event."""
        with self._lock:
            if self._states.get(state.request.id) is not state:
                return
            del self._states[state.request.id]
            self._idle_since = time.monotonic()
        state.stream.deliver([*before, last])

    def fail_all(self, error: EngineError) -> None:
        """Ends the requests that were submitted while the engine was closing."""
        for state in self._open_states():
            self.close(state, state.ended_by(error, state.submitted_at))

    def _open_states(self) -> list[RequestState]:
        with self._lock:
            return list(self._states.values())

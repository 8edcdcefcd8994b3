"""Embedding requests at work, a slice at a time, so that chats go on between two slices."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from engine.backend import Chunk
from engine.embedding.embedder import Embedder
from engine.errors import ContextOverflow, EngineError, RequestError
from engine.events import Embeddings
from engine.requests import EmbedRequest
from engine.scheduler.thread_tuner import ThreadCountPolicy

SLICE_S = 0.12
"""What a slice may take while somebody reads an answer; with the step beside it, within a step's budget."""

MIN_SLICE = 8
FIRST_TOKEN_S = 0.005
"""Before the first measurement."""


@dataclass(slots=True, eq=False)
class EmbedJob:
    """One request with its tokens, by the tokeniser of `source`. `cancelled` may be set on any thread; nobody waits for
    `done` then. `around` are the tokens that an empty text has: those at the beginning and at the end of every text."""

    request: EmbedRequest
    inputs: Sequence[Sequence[int]]
    source: object
    cancelled: threading.Event
    around: Sequence[int] = ()
    done: Future[Embeddings] = field(default_factory=Future)
    vectors: dict[int, tuple[float, ...]] = field(default_factory=dict)

    @property
    def priority(self) -> int:
        return 0 if self.request.origin == "window" else 1


@dataclass(slots=True, eq=False)
class _Input:
    """One input under way: how much of it was read, and what its tokens come to."""

    job: EmbedJob
    index: int
    slot: int
    n_read: int = 0
    pooled: npt.NDArray[np.float64] | None = None

    @property
    def tokens(self) -> Sequence[int]:
        return self.job.inputs[self.index]


class EmbedQueue:
    """Native thread only. Owns its embedder."""

    def __init__(self, embedder: Embedder, clock: Callable[[], float] = time.monotonic) -> None:
        self.embedder = embedder
        self._clock = clock
        self._threads = ThreadCountPolicy(embedder.limits.thread_counts)
        self._token_s = FIRST_TOKEN_S
        self._waiting: deque[_Input] = deque()
        self._running: list[_Input] = []
        self._jobs: list[EmbedJob] = []

    @property
    def idle(self) -> bool:
        return not self._jobs

    def accept(self, job: EmbedJob) -> None:
        """Takes a job in; what is wrong with it ends it."""
        if job.cancelled.is_set() or not job.done.set_running_or_notify_cancel():
            return
        try:
            self._check(job)
        except EngineError as error:
            job.done.set_exception(error)
            return
        self._jobs.append(job)
        inputs = [_Input(job, index, -1) for index in range(len(job.inputs))]
        self._waiting = deque(sorted([*self._waiting, *inputs], key=lambda each: each.job.priority))
        self._finish(job)

    def drop_cancelled(self) -> None:
        for job in [job for job in self._jobs if job.cancelled.is_set()]:
            self._forget(job)

    def step(self, *, watched: bool) -> float:
        """Reads one slice, a short one where somebody watches an answer. Seconds that it took. Raises NativeFailure."""
        limits = self.embedder.limits
        room = min(limits.n_batch, max(MIN_SLICE, int(SLICE_S / self._token_s))) if watched else limits.n_batch
        taken = self._take(room)
        chunks = [Chunk(each.slot, each.n_read, tokens, samples=True, needs_all_logits=True) for each, tokens in taken]
        n_tokens = sum(len(tokens) for _, tokens in taken)
        started = self._clock()
        rows = self.embedder.read(chunks, self._threads.choose(n_tokens))
        seconds = self._clock() - started
        self._threads.record(n_tokens, seconds)
        self._token_s = max(seconds / n_tokens, 0.7 * self._token_s)  # what took too long is believed at once
        at = 0
        for each, tokens in taken:
            self._pool(each, rows[at : at + len(tokens)])
            at += len(tokens)
        return seconds

    def close(self, cause: EngineError) -> None:
        """Ends every request with `cause` and frees the embedder."""
        for job in self._jobs:
            job.done.set_exception(cause)
        self._jobs.clear()
        self.embedder.close()

    def _check(self, job: EmbedJob) -> None:
        limits = self.embedder.limits
        n = job.request.dimensions
        if n is not None and not 1 <= n <= limits.n_dimensions:
            raise RequestError(f"the model's vectors have {limits.n_dimensions} dimensions, {n} were asked for")
        if job.request.truncate:
            job.inputs = [truncated(tokens, limits.n_ctx, job.around) for tokens in job.inputs]
        for tokens in job.inputs:
            if len(tokens) > limits.n_ctx:
                raise ContextOverflow(len(tokens), limits.n_ctx)
            if not tokens:
                raise RequestError("an input is empty")
            if not all(0 <= token < limits.n_tokens for token in tokens):
                raise RequestError(f"an input holds a token outside of the model's vocabulary of {limits.n_tokens}")

    def _take(self, room: int) -> list[tuple[_Input, Sequence[int]]]:
        """What the next slice reads: inputs that were begun, then new ones; at least one."""
        limits = self.embedder.limits
        taken: list[tuple[_Input, Sequence[int]]] = []
        free = sorted(set(range(limits.n_slots)) - {each.slot for each in self._running})
        candidates = [*self._running, *list(self._waiting)[: len(free)]]
        for each in candidates:
            rest = each.tokens[each.n_read :]
            if len(rest) > room and taken and not limits.can_split:
                break
            tokens = rest[:room] if limits.can_split else rest
            if each.slot < 0:
                each.slot = free.pop(0)
                self._waiting.remove(each)
                self._running.append(each)
            taken.append((each, tokens))
            room -= len(tokens)
            if room <= 0:
                break
        return taken

    def _pool(self, each: _Input, rows: npt.NDArray[np.float32]) -> None:
        """Adds the rows of the tokens that were just read; after the last, the vector is there."""
        match self.embedder.limits.pooling:
            case "mean":
                total = rows.sum(axis=0, dtype=np.float64)
                each.pooled = total if each.pooled is None else each.pooled + total
            case "cls":
                each.pooled = rows[0].astype(np.float64) if each.pooled is None else each.pooled
            case "last":
                each.pooled = rows[-1].astype(np.float64)
        each.n_read += len(rows)
        if each.n_read < len(each.tokens) or each.pooled is None:
            return
        self.embedder.clear(each.slot)
        self._running.remove(each)
        each.job.vectors[each.index] = _unit(each.pooled[: each.job.request.dimensions])
        self._finish(each.job)

    def _finish(self, job: EmbedJob) -> None:
        if len(job.vectors) < len(job.inputs):
            return
        self._jobs.remove(job)
        vectors = tuple(job.vectors[index] for index in range(len(job.inputs)))
        job.done.set_result(Embeddings(vectors, sum(map(len, job.inputs))))

    def _forget(self, job: EmbedJob) -> None:
        self._jobs.remove(job)
        self._waiting = deque(each for each in self._waiting if each.job is not job)
        for each in [each for each in self._running if each.job is job]:
            self.embedder.clear(each.slot)
            self._running.remove(each)


def truncated(tokens: Sequence[int], n_most: int, around: Sequence[int]) -> Sequence[int]:
    """At most so many tokens, with those that end every text where they belong."""
    if len(tokens) <= n_most:
        return tokens
    pairs = enumerate(zip(around, tokens, strict=False))
    n_first = next((at for at, (expected, token) in pairs if expected != token), min(len(around), len(tokens)))
    last = around[n_first:]
    if tuple(tokens[len(tokens) - len(last) :]) != tuple(last) or len(last) >= n_most:
        last = ()
    return [*tokens[: n_most - len(last)], *last]


def _unit(vector: npt.NDArray[np.float64]) -> tuple[float, ...]:
    length = float(np.linalg.norm(vector))
    return tuple((vector / length if length else vector).tolist())

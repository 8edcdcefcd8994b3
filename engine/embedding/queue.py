"""Computes embedding requests in slices of one decode each, so that chats proceed between two slices."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from engine.backend import Chunk, Embedder
from engine.errors import ContextOverflow, EngineError, RequestError
from engine.events import Embeddings
from engine.requests import EmbedRequest
from engine.scheduler.thread_tuner import ThreadCountPolicy

SHORT_SLICE_S = 0.12
"""Target duration of a slice while chats wait until it ends. A slice and a decode step of a chat together take less
time than the scheduler allows for one step."""

MIN_SHORT_SLICE = 8
INITIAL_TOKEN_S = 0.005
"""Assumed duration per token, before the first measurement."""


@dataclass(slots=True, eq=False)
class EmbedJob:
    """An embedding request. Its inputs were tokenized by the model `source`."""

    request: EmbedRequest
    inputs: Sequence[Sequence[int]]
    source: object
    cancelled: threading.Event
    """Setting this event, on any thread, cancels the job. The job's `done` is never completed after that."""
    special_tokens: Sequence[int] = ()
    """The tokens of an empty text: the special tokens that begin and end every input."""
    done: Future[Embeddings] = field(default_factory=Future)
    vectors: dict[int, tuple[float, ...]] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Input:
    job: EmbedJob
    index: int
    slot: int
    """The llama.cpp sequence id; -1 while the input waits."""
    n_computed: int = 0
    pooled: npt.NDArray[np.float64] | None = None

    @property
    def tokens(self) -> Sequence[int]:
        return self.job.inputs[self.index]


class EmbedQueue:
    """The jobs of one embedder. The queue owns the embedder and closes it. Used only on the native thread, the one that
    decodes."""

    def __init__(self, embedder: Embedder, clock: Callable[[], float] = time.monotonic) -> None:
        self.embedder = embedder
        self._clock = clock
        self._threads = ThreadCountPolicy(embedder.limits.thread_counts)
        self._token_s = INITIAL_TOKEN_S
        self._waiting: deque[_Input] = deque()
        self._running: list[_Input] = []
        self._jobs: list[EmbedJob] = []

    @property
    def idle(self) -> bool:
        return not self._jobs

    def accept(self, job: EmbedJob) -> None:
        """Queues a job. An invalid job ends with a RequestError or ContextOverflow."""
        if job.cancelled.is_set() or not job.done.set_running_or_notify_cancel():
            return
        try:
            self._check(job)
        except EngineError as error:
            job.done.set_exception(error)
            return
        self._jobs.append(job)
        inputs = [_Input(job, index, -1) for index in range(len(job.inputs))]
        self._waiting = deque(sorted([*self._waiting, *inputs], key=lambda each: each.job.request.priority))
        self._finish_if_complete(job)

    def drop_cancelled(self) -> None:
        for job in [job for job in self._jobs if job.cancelled.is_set()]:
            self._jobs.remove(job)
            self._waiting = deque(each for each in self._waiting if each.job is not job)
            for running in [each for each in self._running if each.job is job]:
                self.embedder.clear(running.slot)
                self._running.remove(running)

    def step(self, *, short: bool) -> float:
        """Computes one slice and returns its duration in seconds. With `short`, the slice takes at most about
        SHORT_SLICE_S. Raises NativeFailure."""
        limits = self.embedder.limits
        n_fitting = max(MIN_SHORT_SLICE, int(SHORT_SLICE_S / self._token_s))
        slice_ = self._next_slice(min(limits.n_batch, n_fitting) if short else limits.n_batch)
        chunks = [
            Chunk(each.slot, each.n_computed, tokens, sample_last=True, needs_all_logits=True)
            for each, tokens in slice_
        ]  # fmt: skip
        n_tokens = sum(len(tokens) for _, tokens in slice_)
        started = self._clock()
        rows = self.embedder.embed(chunks, self._threads.choose(n_tokens))
        seconds = self._clock() - started
        self._threads.record(n_tokens, seconds)
        self._token_s = max(seconds / n_tokens, 0.7 * self._token_s)  # a longer time replaces the estimate at once
        row = 0
        for each, tokens in slice_:
            n_rows = 1 if limits.pooling == "rank" else len(tokens)
            self._pool(each, rows[row : row + n_rows], len(tokens))
            row += n_rows
        return seconds

    def close(self, cause: EngineError) -> None:
        """Ends every job with the error `cause`, and frees the embedder."""
        for job in self._jobs:
            job.done.set_exception(cause)
        self._jobs.clear()
        self.embedder.close()

    def _check(self, job: EmbedJob) -> None:
        """Checks the inputs of a job, and truncates them if the request asks for it. Raises RequestError,
        ContextOverflow."""
        limits = self.embedder.limits
        n = job.request.dimensions
        if n is not None and not 1 <= n <= limits.n_dimensions:
            raise RequestError(f"the model's vectors have {limits.n_dimensions} dimensions, {n} were asked for")
        if job.request.truncate:
            job.inputs = [truncated(tokens, limits.n_ctx, job.special_tokens) for tokens in job.inputs]
        for tokens in job.inputs:
            if len(tokens) > limits.n_ctx:
                raise ContextOverflow(len(tokens), limits.n_ctx)
            if not tokens:
                raise RequestError("an input is empty")
            if not all(0 <= token < limits.n_tokens for token in tokens):
                raise RequestError(f"an input holds a token outside of the model's vocabulary of {limits.n_tokens}")

    def _next_slice(self, room: int) -> list[tuple[_Input, Sequence[int]]]:
        """Returns the inputs of the next slice, each with its next tokens: running inputs first, then waiting ones. The
        slice has at most `room` tokens, except that it always contains at least one input."""
        limits = self.embedder.limits
        taken: list[tuple[_Input, Sequence[int]]] = []
        free_slots = sorted(set(range(limits.n_slots)) - {each.slot for each in self._running})
        candidates = [*self._running, *list(self._waiting)[: len(free_slots)]]
        for each in candidates:
            rest = each.tokens[each.n_computed :]
            if len(rest) > room and taken and not limits.can_split:
                break
            tokens = rest[:room] if limits.can_split else rest
            if each.slot < 0:
                each.slot = free_slots.pop(0)
                self._waiting.remove(each)
                self._running.append(each)
            taken.append((each, tokens))
            room -= len(tokens)
            if room <= 0:
                break
        return taken

    def _pool(self, each: _Input, rows: npt.NDArray[np.float32], n_tokens: int) -> None:
        """Adds the output rows of the `n_tokens` just computed to the input's vector. After the input's last tokens,
        the vector is complete."""
        match self.embedder.limits.pooling:
            case "mean":
                total = rows.sum(axis=0, dtype=np.float64)
                each.pooled = total if each.pooled is None else each.pooled + total
            case "cls":
                each.pooled = rows[0].astype(np.float64) if each.pooled is None else each.pooled
            case "last" | "rank":
                each.pooled = rows[-1].astype(np.float64)
        each.n_computed += n_tokens
        if each.n_computed < len(each.tokens) or each.pooled is None:
            return
        self.embedder.clear(each.slot)
        self._running.remove(each)
        if self.embedder.limits.pooling == "rank":
            each.job.vectors[each.index] = tuple(each.pooled.tolist())
        else:
            each.job.vectors[each.index] = _unit(each.pooled[: each.job.request.dimensions])
        self._finish_if_complete(each.job)

    def _finish_if_complete(self, job: EmbedJob) -> None:
        if len(job.vectors) < len(job.inputs):
            return
        self._jobs.remove(job)
        vectors = tuple(job.vectors[index] for index in range(len(job.inputs)))
        job.done.set_result(Embeddings(vectors, sum(map(len, job.inputs))))


def truncated(tokens: Sequence[int], n_max: int, special_tokens: Sequence[int]) -> Sequence[int]:
    """Returns at most `n_max` of the tokens. The result still ends with the special tokens that end every input."""
    if len(tokens) <= n_max:
        return tokens
    pairs = enumerate(zip(special_tokens, tokens, strict=False))
    n_shared = min(len(special_tokens), len(tokens))
    n_first = next((at for at, (expected, token) in pairs if expected != token), n_shared)
    last = special_tokens[n_first:]
    if tuple(tokens[len(tokens) - len(last) :]) != tuple(last) or len(last) >= n_max:
        last = ()
    return [*tokens[: n_max - len(last)], *last]


def _unit(vector: npt.NDArray[np.float64]) -> tuple[float, ...]:
    length = float(np.linalg.norm(vector))
    return tuple((vector / length if length else vector).tolist())

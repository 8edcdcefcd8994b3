"""`engine.overhead_per_sequence`: the processor time, in microseconds per step and sequence, that the engine needs for
many sequences. The backend computes nothing, so that the figure does not depend on the number of cores."""

from __future__ import annotations

import statistics
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from engine.backend import Chunk, Limits
from engine.errors import EngineClosed
from engine.kv_cache.snapshot_store import SnapshotStore
from engine.request_state import RequestRegistry, RequestState
from engine.requests import CompletionRequest, Sampling
from engine.session import Session
from engine.stream import RequestStream
from tests.bench.figure import Figure
from tests.fakes import ALPHABET, FakeBackend, Script

N_SEQUENCES = (1, 8, 64, 256)
N_STEPS = 60
BOUND_US = 20.0
N_PROMPT, WARM_TOKENS, N_CELLS = 16, 4, 256


class InstantBackend(FakeBackend):
    """Decodes in no time. It can run `n_sequences` sequences at once."""

    def __init__(self, n_sequences: int) -> None:
        n_cells = n_sequences * N_CELLS
        limits = Limits(n_cells, n_sequences + 8, n_sequences * N_PROMPT, n_running=n_sequences, n_outputs=n_sequences)
        super().__init__(Script(), limits)

    def decode(self, chunks: Sequence[Chunk], n_threads: int, *, interruptible: bool = False) -> None:
        self.n_decodes += 1

    def next_token(self, row: int, n_prompt: int) -> int:
        """Returns a letter. The letters repeat so rarely that no drafts are made from them."""
        return ALPHABET[zlib.crc32(b"%d %d" % (self.n_decodes, row)) % len(ALPHABET)]


class _Loop:
    """An event loop that is woken and does nothing."""

    def call_soon_threadsafe(self, callback: Callable[..., object], *arguments: object) -> None:
        pass


@contextmanager
def decoding_session(n_sequences: int) -> Iterator[Session]:
    """A session in which each step decodes `n_sequences` sequences. Their prompts have no common beginning."""
    backend, registry = InstantBackend(n_sequences), RequestRegistry()
    snapshots = SnapshotStore(None, backend.fingerprint, 0, supports_full_rollback=True)
    session = Session(backend, registry, snapshots, lambda state: None, time.monotonic)
    states = []
    for number in range(n_sequences):
        request = CompletionRequest("", "endpoint", Sampling(), max_tokens=N_CELLS - N_PROMPT)
        stream = RequestStream(request.id, cast(Any, _Loop()), lambda _: None)
        state = RequestState(request, stream, 0.0)
        state.prompt = tuple(number // 64**place % 64 for place in range(N_PROMPT))
        registry.open(state)
        states.append(state)
        session.accept(state)
    while min(state.n_output for state in states) < WARM_TOKENS:
        session.step()
    try:
        yield session
    finally:
        session.close(EngineClosed())


def step_seconds(n_sequences: int, n_steps: int = N_STEPS) -> float:
    """Returns the processor time of one step that decodes `n_sequences` sequences: the median of `n_steps`."""
    with decoding_session(n_sequences) as session:
        return statistics.median(_timed(session.step) for _ in range(n_steps))


def _timed(step: Callable[[], None]) -> float:
    started = time.thread_time()
    step()
    return time.thread_time() - started


def measure() -> Figure:
    by_count = {n: 1e6 * step_seconds(n) / n for n in N_SEQUENCES}
    against = "nothing: absolute; by number of sequences: " + ", ".join(f"{n}: {us:.3g}" for n, us in by_count.items())
    return Figure("engine.overhead_per_sequence", by_count[max(N_SEQUENCES)], BOUND_US, "us", against)

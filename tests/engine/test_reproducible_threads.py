"""Steps whose rounding depends on the thread count use the same count with and without cached tokens."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from engine.backend import Chunk, Limits
from engine.errors import EngineClosed
from engine.kv_cache.snapshot_store import SnapshotStore
from engine.request_state import RequestRegistry, RequestState
from engine.requests import CompletionRequest, Sampling
from engine.session import Session
from engine.stream import RequestStream
from tests.fakes import FakeBackend, Script

N_CORES, N_PROMPT, N_OUTPUT = 2, 600, 24
LIMITS = Limits(4096, 8, 128, prompt_cut=128, thread_counts=(1, N_CORES))


class _Loop:
    """An event loop that is woken and does nothing."""

    def call_soon_threadsafe(self, callback: object, *arguments: object) -> None:
        pass


class TimedSession:
    """A session with a clock of its own. A decode of one token takes 10 ms; while a snapshot is written, 25 ms."""

    def __init__(self, folder: Path) -> None:
        self.now = 0.0
        self.thread_counts: list[int] = []
        """Those of all decodes that have a single token."""
        backend = TimedBackend(self)
        self.registry = RequestRegistry()
        self.snapshots = SnapshotStore(folder, backend.fingerprint, 2**30, supports_full_rollback=True)
        self.session = Session(backend, self.registry, self.snapshots, self.accept, lambda: self.now)

    def accept(self, state: RequestState) -> None:
        self.session.accept(state)

    def submit(self, prompt: Sequence[int]) -> None:
        request = CompletionRequest("", "endpoint", Sampling(seed=1), max_tokens=N_OUTPUT, n_draft_max=0)
        stream = RequestStream(request.id, cast(Any, _Loop()), lambda _: None)
        state = RequestState(request, stream, 0.0)
        state.prompt = tuple(prompt)
        self.registry.open(state)
        self.accept(state)

    def run(self) -> list[int]:
        """Runs the submitted requests to their end. Returns the thread counts of the steps with a single token."""
        self.thread_counts = []
        while not self.session.idle:
            self.session.step()
        return self.thread_counts


class TimedBackend(FakeBackend):
    def __init__(self, timed: TimedSession) -> None:
        super().__init__(Script(), LIMITS)
        self._timed = timed

    def decode(self, chunks: Sequence[Chunk], n_threads: int, *, interruptible: bool = False) -> None:
        n_tokens = sum(len(chunk.tokens) for chunk in chunks)
        token_s = 0.025 if self._timed.snapshots.is_writing else 0.010 * N_CORES / n_threads
        self._timed.now += n_tokens * token_s
        if n_tokens == 1:
            self._timed.thread_counts.append(n_threads)
        super().decode(chunks, n_threads)


def test_writing_the_snapshot_of_a_prompt_does_not_change_the_thread_count_of_its_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_written = threading.Event()

    def write(*arguments: object) -> None:
        assert is_written.wait(20)

    monkeypatch.setattr("engine.kv_cache.snapshot_file.write", write)
    timed = TimedSession(tmp_path)
    prompt = [n % 200 for n in range(N_PROMPT)]
    timed.submit(prompt)
    cold = timed.run()
    is_delayed = timed.snapshots.is_writing
    is_written.set()
    timed.submit(prompt)
    cached = timed.run()
    timed.session.close(EngineClosed())
    assert is_delayed
    assert cold == cached == [N_CORES] * N_OUTPUT

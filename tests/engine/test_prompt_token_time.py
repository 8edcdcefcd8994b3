"""What a session learns about the duration of a prompt token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

PROMPT_TOKEN_S, ANSWER_TOKEN_S = 0.01, 0.1


class TimedBackend(FakeBackend):
    """Advances a clock in each decode by the time of its tokens."""

    def __init__(self) -> None:
        super().__init__(Script(), Limits(n_cells=1024, n_slots=8, n_batch=64))
        self.now_s = 0.0

    def decode(self, chunks: Sequence[Chunk], n_threads: int, *, interruptible: bool = False) -> None:
        super().decode(chunks, n_threads)
        for chunk in chunks:
            n = len(chunk.tokens)
            self.now_s += ANSWER_TOKEN_S if n == 1 else n * PROMPT_TOKEN_S


class _Loop:
    def call_soon_threadsafe(self, callback: Callable[..., object], *arguments: object) -> None:
        pass


class TimedSession:
    def __init__(self) -> None:
        self.backend, self.registry = TimedBackend(), RequestRegistry()
        snapshots = SnapshotStore(None, self.backend.fingerprint, 0, supports_full_rollback=True)
        self.session = Session(self.backend, self.registry, snapshots, lambda state: None, lambda: self.backend.now_s)

    def accept(self, text: str, max_tokens: int) -> RequestState:
        request = CompletionRequest(text, "endpoint", Sampling(), max_tokens=max_tokens, n_draft_max=0)
        state = RequestState(request, RequestStream(request.id, cast(Any, _Loop()), lambda _: None), 0.0)
        state.prompt = tuple(text.encode())
        self.registry.open(state)
        self.session.accept(state)
        return state

    def run(self) -> None:
        while not self.session.idle:
            self.session.step()

    @property
    def token_s(self) -> float:
        return self.session._prefill_budget.token_s


def test_time_of_answer_tokens_is_not_subtracted_from_a_step_without_them() -> None:
    timed = TimedSession()
    timed.accept("a" * 64, max_tokens=8)
    timed.run()
    assert timed.token_s == pytest.approx(PROMPT_TOKEN_S)
    timed.accept("b" * 64, max_tokens=1)
    timed.run()
    assert timed.token_s == pytest.approx(PROMPT_TOKEN_S)
    timed.session.close(EngineClosed())


def test_time_of_answer_tokens_is_subtracted_from_a_step_with_them() -> None:
    timed = TimedSession()
    answer = timed.accept("a" * 64, max_tokens=100)
    while answer.n_output < 8:
        timed.session.step()
    prompt = timed.accept("b" * 100, max_tokens=1)
    while not prompt.n_output:
        timed.session.step()
    assert PROMPT_TOKEN_S <= timed.token_s < 1.5 * PROMPT_TOKEN_S
    timed.session.close(EngineClosed())

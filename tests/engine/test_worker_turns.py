"""The native thread of an engine keeps no turn that other engines wait for."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, cast

import pytest

from engine.backend import Embedder, LoadSettings
from engine.embedding.executor import EmbeddingExecutor
from engine.priority import Priority
from engine.request_state import RequestRegistry
from engine.session import Session
from engine.step_arbiter import StepArbiter
from engine.worker import Worker
from tests.engine.test_step_arbiter import Clock, Member
from tests.fakes import FakeOpener


def open_nothing(path: Path, settings: LoadSettings, on_progress: object) -> Embedder:
    raise AssertionError


def worker_of(arbiter: StepArbiter) -> Worker:
    return Worker(
        FakeOpener(),
        cast(Any, open_nothing),
        RequestRegistry(),
        EmbeddingExecutor(cast(Any, open_nothing), lambda kind: None),
        lambda progress: True,
        lambda death: None,
        arbiter=arbiter,
    )


def waiting_beside(worker: Worker, arbiter: StepArbiter) -> Member:
    """An engine that waits for a turn, because the next one is reserved for the worker."""
    other = Member(arbiter, Priority.ENDPOINT)
    worker._turns.begin(lambda: Priority.WINDOW)
    other.begin()
    worker._turns.end(lambda: Priority.WINDOW)
    assert not other.has_turn.is_set()
    return other


def test_idle_engine_gives_up_a_reserved_turn() -> None:
    arbiter = StepArbiter(Clock())
    worker = worker_of(arbiter)
    other = waiting_beside(worker, arbiter)
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    assert other.computes
    worker.close()
    thread.join(20)
    assert not thread.is_alive()


def test_engine_that_computes_on_a_card_gives_up_a_reserved_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    arbiter = StepArbiter(Clock())
    worker = worker_of(arbiter)
    other = waiting_beside(worker, arbiter)
    session = object.__new__(Session)
    worker._session, worker._takes_turns = session, False
    monkeypatch.setattr(Session, "step", lambda session: None)
    monkeypatch.setattr(Session, "idle", False)
    worker._step(session)
    assert other.computes


def test_engine_whose_thread_ends_with_an_error_leaves_the_others() -> None:
    arbiter = StepArbiter(Clock())
    worker = worker_of(arbiter)
    other = waiting_beside(worker, arbiter)

    def fail() -> None:
        raise ValueError("a bug")

    worker.post(fail)
    with pytest.raises(ValueError, match="a bug"):
        worker.run()
    assert other.computes
    assert arbiter.members == {other.turns}

"""Several real models are loaded at once, take turns, and make room for each other."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import psutil
import pytest

from engine.backend import LoadSettings
from engine.engine import Engine
from engine.native.openmp import _pause_function
from engine.pool import ModelPool, estimate_needed_bytes, free_memory_bytes
from engine.status import ModelInfo
from engine.step_arbiter import StepArbiter
from tests.bench.model_swaps import swap_randomly
from tests.conftest import chat


def test_two_loaded_models_answer_at_the_same_time(model_path: Path, tmp_path: Path) -> None:
    async def run() -> None:
        arbiter = StepArbiter()
        pool = ModelPool(lambda: Engine(arbiter=arbiter, snapshots=tmp_path))
        small, large = LoadSettings(n_ctx=512), LoadSettings(n_ctx=1024)
        async with pool.acquire(model_path, small) as one, pool.acquire(model_path, large) as two:
            n_ctx = [model.n_ctx for engine in (one, two) if (model := engine.status.model) is not None]
            assert n_ctx == [
                512,
                1024,
            ]
            streams = [engine.submit(chat("Tell me of the sea.", max_tokens=12)) for engine in (one, two, one)]
            for stream in streams:
                text, finished = await stream.collect()
                assert text
                assert finished.usage.n_output > 0
        await pool.aclose()

    asyncio.run(run())


def test_idle_model_keeps_no_threads_that_slow_the_others_down(model_path: Path) -> None:
    def n_native_threads() -> int:
        return int(psutil.Process().num_threads()) - threading.active_count()

    async def run() -> None:
        arbiter = StepArbiter()
        pool = ModelPool(lambda: Engine(arbiter=arbiter))
        small, large = (LoadSettings(n_ctx=n_ctx, n_threads=2) for n_ctx in (512, 1024))
        async with pool.acquire(model_path, small) as one, pool.acquire(model_path, large) as two:
            if _pause_function() is None:
                pytest.skip("another OpenMP library is in use")
            before = n_native_threads()
            for engine in (one, two):
                await engine.submit(chat("Tell me of the sea.", max_tokens=4)).collect()
            async with asyncio.timeout(20):
                while n_native_threads() > before:  # noqa: ASYNC110 -- threads end without an event
                    await asyncio.sleep(0.01)
        await pool.aclose()

    asyncio.run(run())


def test_estimate_of_needed_memory_is_that_of_the_loaded_model(model_path: Path) -> None:
    async def run() -> None:
        needed = estimate_needed_bytes(model_path, LoadSettings(n_ctx=1024))
        async with (pool := ModelPool(Engine)).acquire(model_path, LoadSettings(n_ctx=1024)) as engine:
            model = engine.status.model
            assert isinstance(model, ModelInfo)
            assert model.memory is not None
            assert 0 <= needed - model.memory.needed < 256 << 20
            assert needed < free_memory_bytes() + model.memory.needed
        await pool.aclose()

    asyncio.run(run())


def test_requests_are_answered_during_random_swaps(tmp_path: Path) -> None:
    log = asyncio.run(swap_randomly(tmp_path, 10))
    assert log.n_loads >= 10
    assert not log.errors
    assert log.n_answered >= 10

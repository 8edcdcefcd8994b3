"""Several models are loaded while memory allows, and idle ones make room."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from engine.backend import LoadSettings
from engine.engine import Engine
from engine.errors import AllocationFailed, EngineClosed, EngineError, LoadCancelled, ModelFileError, NotEnoughMemory
from engine.events import Failed, Finished
from engine.pool import ModelPool, estimate_needed_bytes
from engine.requests import CompletionRequest, Sampling
from engine.step_arbiter import StepArbiter
from tests.fakes import FakeBackend, FakeOpener, Script
from tests.model_files.tiny_models import TINY_MODELS

A, B, C = Path("a.gguf"), Path("b.gguf"), Path("c.gguf")
SIZES = {A: 4, B: 4, C: 8}


class Machine:
    """A machine with `total` bytes of memory, and fake models of the sizes `SIZES`."""

    def __init__(self, total: int, script: Script | None = None) -> None:
        self.total = total
        self.loaded: list[FakeBackend] = []
        self.loads: list[Path] = []
        self.refusals: list[EngineError] = []
        """Errors of the next loads, the first one first."""
        self._opener = FakeOpener(script or Script(b"Yes."))
        self._arbiter = StepArbiter()
        self.engines: list[Engine] = []
        self.pool = ModelPool(self.make_engine, lambda path, settings: SIZES[path], lambda: self.free)

    @property
    def free(self) -> int:
        return self.total - sum(SIZES[each.info.path] for each in self.loaded if not each.closed)

    def make_engine(self) -> Engine:
        engine = Engine(self._open, arbiter=self._arbiter)
        self.engines.append(engine)
        return engine

    def _open(self, path: Path, settings: LoadSettings, on_progress: Callable[[float], bool]) -> FakeBackend:
        self.loads.append(path)
        if self.refusals:
            raise self.refusals.pop(0)
        if self.free < SIZES[path]:
            raise NotEnoughMemory(SIZES[path], self.free)
        backend = self._opener(path, settings, on_progress)
        self.loaded.append(backend)
        return backend

    @property
    def paths(self) -> list[Path]:
        return [model.path for model in self.pool.models]

    async def use(self, path: Path, settings: LoadSettings = LoadSettings()) -> None:
        async with self.pool.acquire(path, settings):
            pass
        await asyncio.sleep(0)


def completion(n_tokens: int = 3) -> CompletionRequest:
    return CompletionRequest("a", "endpoint", Sampling(temperature=0.9), max_tokens=n_tokens)


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    before = set(threading.enumerate())

    async def bounded() -> None:
        await asyncio.wait_for(story(), 60)

    asyncio.run(bounded())
    left = [each for each in set(threading.enumerate()) - before if each.name.startswith("inglenook-native")]
    assert not left


def test_loaded_model_is_used_again_and_others_stay_while_memory_allows() -> None:
    async def story() -> None:
        machine = Machine(8)
        async with machine.pool.acquire(A) as one, machine.pool.acquire(A) as same:
            assert one is same
            await one.submit(completion()).collect()
        async with machine.pool.acquire(B) as other:
            assert other is not one
        await machine.use(A)
        assert machine.loads == [A, B]
        await machine.pool.aclose()
        await machine.pool.aclose()
        assert machine.free == 8

    run(story)


def test_least_recently_used_idle_model_makes_room() -> None:
    async def story() -> None:
        machine = Machine(12)
        await machine.use(A)
        await machine.use(B)
        await machine.use(A)
        await machine.use(C)
        assert machine.paths == [A, C]
        await machine.use(B)
        assert machine.paths == [C, B]
        await machine.pool.aclose()

    run(story)


def test_model_in_use_is_never_unloaded() -> None:
    async def story() -> None:
        machine = Machine(8)
        async with machine.pool.acquire(A) as engine:
            with pytest.raises(NotEnoughMemory, match="0 MB"):
                await machine.use(C)
            await engine.submit(completion()).collect()
            assert machine.paths == [A]
        await machine.use(C)
        assert machine.paths == [C]
        await machine.pool.aclose()

    run(story)


def test_other_settings_of_a_file_are_another_model() -> None:
    async def story() -> None:
        machine = Machine(8)
        await machine.use(A)
        await machine.use(A, LoadSettings(n_ctx=512))
        assert machine.loads == [A, A]
        assert len(machine.pool.models) == 2
        await machine.pool.aclose()

    run(story)


def test_refused_memory_unloads_one_model_and_tries_once_more() -> None:
    async def story() -> None:
        machine = Machine(100)
        await machine.use(A)
        machine.refusals = [AllocationFailed(B, "no memory")]
        await machine.use(B)
        assert machine.loads == [A, B, B]
        assert machine.paths == [B]
        machine.refusals = [AllocationFailed(C, "no memory"), AllocationFailed(C, "still none")]
        with pytest.raises(AllocationFailed, match="still none"):
            await machine.use(C)
        assert machine.loads[3:] == [C, C]
        machine.refusals = [AllocationFailed(C, "nothing to unload")]
        with pytest.raises(AllocationFailed, match="nothing to unload"):
            await machine.use(C)
        assert not machine.paths
        await machine.pool.aclose()

    run(story)


def test_damaged_file_unloads_nothing() -> None:
    async def story() -> None:
        machine = Machine(100)
        await machine.use(A)
        machine.refusals = [ModelFileError(B, "damaged")]
        with pytest.raises(ModelFileError, match="damaged"):
            await machine.use(B)
        assert machine.paths == [A]
        await machine.pool.aclose()

    run(story)


def test_adopted_engine_is_used_but_neither_unloaded_nor_closed() -> None:
    async def story() -> None:
        machine = Machine(8)
        window = machine.make_engine()
        machine.pool.adopt(window)
        await machine.pool.load_into(window, A, LoadSettings())
        async with machine.pool.acquire(A) as engine:
            assert engine is window
        await machine.use(B)
        with pytest.raises(NotEnoughMemory):
            await machine.use(C)
        assert window.status.state == "ready"
        await machine.pool.load_into(window, C, LoadSettings())
        assert [model.is_adopted for model in machine.pool.models] == [True], "the other model made room"
        await machine.pool.aclose()
        assert window.status.state == "ready"
        await window.aclose()

    run(story)


def test_idle_model_is_unloaded_after_its_time_and_not_while_in_use() -> None:
    async def story() -> None:
        machine = Machine(8)
        async with machine.pool.acquire(A):
            machine.pool.unload_after(A, 0.0)
            await asyncio.sleep(0.02)
            assert machine.paths == [A]
            assert machine.pool.expires_in_s(machine.pool.models[0]) is None
        await machine.use(B)
        await _until(lambda: machine.paths == [B])
        machine.pool.unload_after(B, 1000.0)
        assert 0 < (machine.pool.expires_in_s(machine.pool.models[0]) or 0) <= 1000
        machine.pool.unload_after(B, float("inf"))
        assert machine.pool.expires_in_s(machine.pool.models[0]) is None
        machine.pool.unload_after(B, 1000.0)
        await machine.pool.unload_idle()
        assert not machine.paths
        await machine.pool.aclose()

    run(story)


async def _until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 -- the pool has no event for this
            await asyncio.sleep(0.001)


def test_model_that_stopped_is_loaded_again() -> None:
    async def story() -> None:
        machine = Machine(8, script := Script(b"Yes.", fail_after=0))
        async with machine.pool.acquire(A) as engine:
            last = [event async for event in engine.submit(completion())][-1]
            assert isinstance(last, Failed)
        script.fail_after = None
        async with machine.pool.acquire(A) as engine:
            await engine.submit(completion()).collect()
        assert machine.loads == [A, A]
        await machine.pool.aclose()

    run(story)


def test_callers_that_wait_for_the_same_model_load_it_once() -> None:
    async def story() -> None:
        machine = Machine(8, Script(load_s=0.1))
        waiting = [asyncio.create_task(machine.use(A)) for _ in range(3)]
        await asyncio.sleep(0.02)
        waiting[0].cancel()
        await asyncio.wait(waiting)
        assert waiting[0].cancelled()
        assert machine.loads == [A]
        await _until(lambda: not machine.pool.models[0].n_users)
        await machine.pool.aclose()

    run(story)


def test_loaded_model_is_available_while_another_is_loading() -> None:
    async def story() -> None:
        machine = Machine(8, script := Script(b"Yes."))
        await machine.use(A)
        script.load_s = 30.0
        loading = asyncio.create_task(machine.use(B))
        await _until(lambda: B in machine.loads)
        async with asyncio.timeout(10):
            await machine.use(A)
        assert not loading.done()
        await machine.pool.aclose()
        with pytest.raises((LoadCancelled, EngineClosed)):
            await loading

    run(story)


def test_closed_pool_loads_nothing() -> None:
    async def story() -> None:
        machine = Machine(8)
        await machine.pool.aclose()
        with pytest.raises(EngineClosed):
            await machine.use(A)

    run(story)


def test_pool_that_is_closed_between_two_tries_loads_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        machine, closing = Machine(12), list[asyncio.Task[None]]()
        evict = machine.pool._evict_one

        async def evict_and_close() -> bool:
            closing.append(asyncio.create_task(machine.pool.aclose()))
            return await evict()

        await machine.use(A)
        monkeypatch.setattr(machine.pool, "_evict_one", evict_and_close)
        machine.refusals = [AllocationFailed(B, "no memory")]
        with pytest.raises(EngineClosed):
            await machine.use(B)
        await closing[0]
        assert machine.loads == [A, B]

    run(story)


def test_models_can_be_used_on_another_event_loop() -> None:
    async def story() -> None:
        machine = Machine(8)

        async def ask() -> str:
            async with machine.pool.acquire(A) as engine:
                text, _ = await engine.submit(completion(4)).collect()
                return text

        assert await asyncio.to_thread(lambda: asyncio.run(ask())) == "Yes."
        await _until(lambda: not machine.pool.models[0].n_users)
        await machine.pool.aclose()

    run(story)


def test_requests_during_random_swaps_all_end() -> None:
    async def story() -> None:
        machine, seeded = Machine(12, Script(step_s=0.0002)), random.Random(7)
        ended: list[object] = []

        async def client() -> None:
            for _ in range(10):
                async with machine.pool.acquire(seeded.choice([A, B, C])) as engine:
                    events = [event async for event in engine.submit(completion(seeded.randint(1, 20)))]
                    ended.extend(each for each in events if isinstance(each, Finished | Failed))

        await asyncio.gather(client(), client())
        assert len(ended) == 20
        assert all(isinstance(event, Finished) for event in ended)
        assert len(machine.loads) > 5, "models were swapped"
        await machine.pool.aclose()
        assert machine.free == 12

    run(story)


def test_needed_memory_counts_the_whole_context(tmp_path: Path) -> None:
    path = TINY_MODELS["plain"].write(tmp_path / "tiny.gguf")
    small, large = (estimate_needed_bytes(path, LoadSettings(n_ctx=n_ctx)) for n_ctx in (512, 4096))
    assert 0 < small < large

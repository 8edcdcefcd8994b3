"""Loading, unloading and closing the engine while requests, reads of KV snapshots and status updates are in
progress."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from engine.backend import Backend, Embedder, LoadSettings
from engine.engine import Engine
from engine.errors import EngineClosed, EngineDead, EngineError, LoadCancelled, NotLoaded
from engine.events import Failed, Finished
from engine.kv_cache import snapshot_file
from engine.priority import Priority
from engine.request_state import RequestRegistry, RequestState
from engine.requests import Sampling
from engine.scheduler.sequence import SequenceState
from engine.status import EmbedderInfo, Status, StatusPublisher
from engine.stream import RequestStream
from engine.worker import Worker
from tests.conftest import chat
from tests.fake_embedder import FakeEmbedder
from tests.fakes import FakeBackend, FakeOpener, FakeSampler, Script

PATH = Path("fake.gguf")
LONG = "The tide comes in and goes out again. " * 20


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 -- it is set by other threads
            await asyncio.sleep(0.001)


class GatedDisk:
    """Replaces reads of KV snapshots from disk by reads that wait until `gate` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gate, self.reading = threading.Event(), threading.Event()
        read = snapshot_file.read_state

        def gated(path: Path) -> memoryview:
            self.reading.set()
            assert self.gate.wait(20)
            return read(path)

        monkeypatch.setattr(snapshot_file, "read_state", gated)


async def engine_with_a_snapshot(folder: Path, opener: FakeOpener) -> Engine:
    """Returns an engine with a reloaded model, so that the KV state of the prompt LONG is only on disk."""
    engine = Engine(opener, snapshots=folder)
    await engine.load(PATH)
    await engine.submit(chat(LONG, max_tokens=4)).collect()
    await engine.unload()
    await engine.load(PATH)
    return engine


def test_request_waiting_for_a_snapshot_fails_when_another_model_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued = False

    def load(worker: Worker, path: Path, settings: LoadSettings) -> Future[Backend]:
        nonlocal queued
        done = queue_load(worker, path, settings)
        queued = True
        return done

    queue_load = Worker.load

    async def run() -> None:
        opener = FakeOpener()
        engine = await engine_with_a_snapshot(tmp_path, opener)
        disk = GatedDisk(monkeypatch)
        stream = engine.submit(chat(LONG, max_tokens=4))
        assert await asyncio.to_thread(disk.reading.wait, 10)
        progress = engine.progress(stream.request_id)
        assert progress is not None
        assert progress.waits_for == "snapshot"
        monkeypatch.setattr(Worker, "load", load)
        loading = asyncio.create_task(engine.load(Path("other.gguf")))
        # Until the native thread has the load in its queue, the previous model may still answer.
        await until(lambda: queued)
        disk.gate.set()
        await loading
        events = [event async for event in stream]
        assert isinstance(events[-1], Failed)
        assert isinstance(events[-1].error, NotLoaded)
        # If the first request was resubmitted, this one runs only after it.
        await engine.submit(chat("Hello", max_tokens=1)).collect()
        assert sum(opener.backends[-1].batch_sizes) < 64
        await engine.aclose()

    asyncio.run(run())


def test_cancel_while_a_snapshot_is_read_ends_the_request_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        engine = await engine_with_a_snapshot(tmp_path, FakeOpener())
        disk = GatedDisk(monkeypatch)
        stream = engine.submit(chat(LONG, max_tokens=4))
        assert await asyncio.to_thread(disk.reading.wait, 10)
        stream.cancel()
        async with asyncio.timeout(5):
            events = [event async for event in stream]
        assert isinstance(events[-1], Finished)
        assert events[-1].reason == "cancelled"
        disk.gate.set()
        await engine.aclose()

    asyncio.run(run())


def test_request_with_prompt_builder_of_previous_model_fails_with_not_loaded() -> None:
    async def run() -> None:
        opener = FakeOpener()
        engine = Engine(opener)
        await engine.load(PATH)
        first = engine._prompts.prompt_builder
        await engine.load(PATH)
        assert first is not None
        stream = RequestStream("late", asyncio.get_running_loop(), engine.cancel)
        state = RequestState(chat(), stream, 0.0)
        # Simulates that the first prompt builder has not been invalidated yet.
        engine._prompts.prompt_builder, current = first, engine._prompts.prompt_builder
        engine._prompts.dispatch(first, state)
        events = [event async for event in stream]
        engine._prompts.prompt_builder = current
        assert isinstance(events[-1], Failed)
        assert isinstance(events[-1].error, NotLoaded)
        assert opener.backends[-1].n_decodes == 0
        await engine.aclose()

    asyncio.run(run())


def test_close_ends_the_running_load_and_a_load_that_waits_for_it() -> None:
    async def run() -> None:
        opener = FakeOpener(Script(load_s=2.0))
        engine = Engine(opener)
        first, second = asyncio.create_task(engine.load(PATH)), asyncio.create_task(engine.load(PATH))
        await until(lambda: engine.status.progress > 0)
        await engine.aclose()
        with pytest.raises(LoadCancelled):
            await first
        with pytest.raises(EngineClosed):
            await second
        assert not opener.backends
        assert engine.status.state == "closed"

    asyncio.run(run())


def test_close_ends_the_load_of_an_embedding_model() -> None:
    async def run() -> None:
        began = threading.Event()

        def slow(
            path: Path, settings: LoadSettings, on_progress: Callable[[float], bool], *, ranks: bool = False
        ) -> Embedder:
            began.set()
            for _ in range(1000):
                threading.Event().wait(0.01)
                if not on_progress(0.5):
                    raise LoadCancelled
            return FakeEmbedder()

        engine = Engine(FakeOpener(), open_embedder=slow)
        loading = asyncio.create_task(engine.load_embedder(PATH))
        assert await asyncio.to_thread(began.wait, 5)
        async with asyncio.timeout(5):
            await engine.aclose()
        with pytest.raises(LoadCancelled):
            await loading

    asyncio.run(run())


def test_second_close_completes_a_close_that_was_cancelled() -> None:
    async def run() -> None:
        opener = FakeOpener(Script(step_s=0.3))
        engine = Engine(opener)
        await engine.load(PATH)
        stream = engine.submit(chat())
        await until(lambda: opener.backends[0].n_decodes > 1)  # the first decode, of the prompt, would be interrupted
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await engine.aclose()
        await engine.aclose()
        assert opener.backends[0].closed
        assert [event async for event in stream]

    asyncio.run(run())


def test_status_is_empty_after_a_load_is_cancelled_before_the_new_model_is_opened() -> None:
    async def run() -> None:
        opener = FakeOpener(Script(step_s=0.2))
        engine = Engine(opener)
        await engine.load(PATH)
        answering = engine.submit(chat())
        loading = asyncio.create_task(engine.load(PATH))
        await until(lambda: engine.status.state == "loading")
        loading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await loading
        states = [engine.status.state]
        assert [event async for event in answering]
        await engine.load(PATH)
        assert [*states, engine.status.state] == ["empty", "ready"]
        await engine.aclose()

    asyncio.run(run())


def test_update_does_not_overwrite_a_status_published_during_it() -> None:
    """If it were overwritten, a failure of the embedding model during an unload would restore the status "ready"."""
    publisher = StatusPublisher()
    publisher.publish(Status("ready"))
    reading, go_on = threading.Event(), threading.Event()

    def slow(before: Status) -> Status:
        reading.set()
        assert go_on.wait(10)
        return replace(before, progress=0.5)

    updating = threading.Thread(target=publisher.update, args=(slow,))
    updating.start()
    assert reading.wait(10)
    publishing = threading.Thread(target=publisher.publish, args=(Status("empty"),))
    publishing.start()
    go_on.set()
    updating.join(10)
    publishing.join(10)
    assert publisher.status.state == "empty"
    publisher.publish_embedder(EmbedderInfo("e", PATH, 1, 1, 1))
    publisher.publish_embedder(None)
    assert publisher.status == Status("empty")


def test_last_status_that_listeners_get_is_the_current_one() -> None:
    async def run() -> None:
        publisher = StatusPublisher()
        seen: list[float] = []
        publisher.watch(lambda status: seen.append(status.progress))

        def count(first: int) -> None:
            for at in range(first, 400, 2):
                publisher.publish(Status("loading", progress=float(at)))

        await asyncio.gather(asyncio.to_thread(count, 0), asyncio.to_thread(count, 1))
        await asyncio.sleep(0)
        assert seen[-1] == publisher.status.progress

    asyncio.run(run())


def test_native_failure_after_close_leaves_the_status_closed() -> None:
    async def run() -> None:
        engine = Engine(FakeOpener())
        await engine.load(PATH)
        await engine.aclose()
        engine._on_death(EngineDead("late"))
        assert engine.status.state == "closed"
        with pytest.raises(EngineClosed):
            await engine.load(PATH)

    asyncio.run(run())


def test_failure_to_open_the_snapshot_folder_frees_the_model_and_it_can_be_loaded_again() -> None:
    async def run() -> None:
        opener = FakeOpener()
        engine = Engine(opener)
        open_snapshots = engine._worker._open_snapshots

        def failing(backend: object) -> NoReturn:
            raise MemoryError("too many snapshots")

        engine._worker._open_snapshots = failing
        with pytest.raises(EngineDead):
            await engine.load(PATH)
        assert opener.backends[0].closed
        engine._worker._open_snapshots = open_snapshots
        await engine.load(PATH)
        await engine.submit(chat(max_tokens=2)).collect()
        await engine.aclose()

    asyncio.run(run())


def test_failure_to_create_a_sampler_fails_only_its_request(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        engine = Engine(FakeOpener())
        await engine.load(PATH)
        make = FakeBackend.sampler

        def failing(backend: FakeBackend, sampling: Sampling, history: tuple[int, ...]) -> FakeSampler:
            if sampling.seed == 13:
                raise OverflowError
            return make(backend, sampling, history)

        monkeypatch.setattr(FakeBackend, "sampler", failing)
        other = engine.submit(chat(max_tokens=5))
        with pytest.raises(EngineError, match="sampler"):
            await engine.submit(chat(max_tokens=5, sampling=Sampling(seed=13))).collect()
        await other.collect()
        assert engine.status.state == "ready"
        await engine.aclose()

    asyncio.run(run())


def test_unload_ends_every_request_even_if_a_sampler_fails_to_close(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        engine = Engine(FakeOpener(Script(step_s=0.01)))
        await engine.load(PATH)
        streams = [engine.submit(chat(f"Question {n}", max_tokens=200)) for n in range(2)]
        await until(lambda: all((found := engine.progress(each.request_id)) and found.n_output for each in streams))

        def failing(sampler: FakeSampler) -> None:
            raise OSError("a bug")

        monkeypatch.setattr(FakeSampler, "close", failing)
        await engine.unload()
        async with asyncio.timeout(10):
            for stream in streams:
                with pytest.raises(NotLoaded):
                    await stream.collect()
        await engine.aclose()

    asyncio.run(run())


def test_closing_a_request_again_keeps_a_newer_one_with_the_same_id() -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        registry = RequestRegistry()
        request = chat()
        old, new = (RequestState(request, RequestStream(request.id, loop, lambda name: None), 0.0) for _ in range(2))
        registry.open(old)
        registry.close(old, Failed(NotLoaded()))
        registry.open(new)
        registry.close(old, Failed(NotLoaded()))
        assert registry.progress(request.id) is not None

    asyncio.run(run())


def test_queue_place_follows_the_scheduling_order() -> None:
    async def run() -> None:
        loop, registry = asyncio.get_running_loop(), RequestRegistry()
        states = []
        for name, deadline in (("long", 900), ("short", 30), ("unprepared", None)):
            request = replace(chat(), id=name)
            state = RequestState(request, RequestStream(name, loop, lambda name: None), 0.0)
            if deadline is not None:
                state.sequence = SequenceState(name, Priority.WINDOW, (1, 2, 3), 4, deadline=deadline)
            registry.open(state)
            states.append(state)
        places = [progress.queue_place for each in states if (progress := registry.progress(each.request.id))]
        assert places == [2, 1, 3]

    asyncio.run(run())

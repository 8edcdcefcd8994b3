"""The engine with a fake backend: answers, cancelling, failures, loading, progress."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from engine.backend import CardFailure, Limits, NativeFailure
from engine.engine import Engine
from engine.errors import (
    CardLost,
    ContextOverflow,
    EngineClosed,
    EngineDead,
    LoadCancelled,
    ModelFileError,
    NotLoaded,
)
from engine.events import Event, Failed, Finished, PromptProgress, Started, TextDelta
from engine.kv_cache.snapshot_store import SnapshotStore
from engine.requests import CompletionRequest, Sampling
from engine.status import Status
from engine.stream import RequestStream
from tests.conftest import chat
from tests.fakes import FakeOpener, Script

PATH = Path("fake.gguf")


@asynccontextmanager
async def engine_over(opener: FakeOpener) -> AsyncIterator[Engine]:
    engine = Engine(opener)
    await engine.load(PATH)
    try:
        yield engine
    finally:
        await engine.aclose()


async def events_of(stream: RequestStream) -> list[Event]:
    return [event async for event in stream]


def check_shape(events: list[Event]) -> None:
    """Asserts that `Started` can only be the first event, that only the last event is `Finished` or `Failed`, and that
    no text is empty."""
    assert [isinstance(event, Finished | Failed) for event in events].count(True) == 1
    assert isinstance(events[-1], Finished | Failed)
    for at, event in enumerate(events):
        assert not isinstance(event, Started) or at == 0
        assert not isinstance(event, TextDelta) or event.text


def test_answer_arrives_with_text_token_counts_and_finish_reason() -> None:
    async def run() -> None:
        async with engine_over(FakeOpener(Script(answer=b"The sea is wide."))) as engine:
            events = await events_of(engine.submit(chat(max_tokens=100)))
            check_shape(events)
            last = events[-1]
            assert isinstance(last, Finished)
            assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "The sea is wide."
            assert last.reason == "stop"
            assert last.usage.n_output == len("The sea is wide.") + 1
            assert sum(event.n_tokens for event in events if isinstance(event, TextDelta)) == len("The sea is wide.")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("stop", "max_tokens", "text", "reason"),
    [
        (("is w",), 100, "The sea ", "stop"),
        ((), 5, "The s", "length"),
        (("sea!",), 6, "The se", "length"),
        (("T",), 100, "", "stop"),
    ],
)
def test_answer_ends_at_a_stop_string_or_at_max_tokens(
    stop: tuple[str, ...], max_tokens: int, text: str, reason: str
) -> None:
    async def run() -> None:
        async with engine_over(FakeOpener(Script(answer=b"The sea is wide."))) as engine:
            answer, finished = await engine.submit(chat(stop=stop, max_tokens=max_tokens)).collect()
            assert (answer, finished.reason) == (text, reason)

    asyncio.run(run())


def test_answers_to_concurrent_requests_equal_those_to_sequential_ones() -> None:
    async def run() -> None:
        opener = FakeOpener(limits=Limits(n_cells=400, n_slots=4, n_batch=16))
        async with engine_over(opener) as engine:
            requests = [
                (f"question {i}" * (1 + i % 5), "window" if i % 4 == 0 else "endpoint", 20 + i) for i in range(12)
            ]
            alone = [(await engine.submit(chat(t, d, max_tokens=n)).collect())[0] for t, d, n in requests]
            together = await asyncio.gather(
                *(engine.submit(chat(t, d, max_tokens=n)).collect() for t, d, n in requests)
            )
            assert [text for text, _ in together] == alone
            assert opener.backends[0].n_open_samplers == 0

    asyncio.run(run())


def test_answers_are_the_same_when_kv_memory_runs_out() -> None:
    async def run() -> None:
        script = Script()
        async with engine_over(FakeOpener(script)) as engine:
            alone = [(await engine.submit(chat(t, max_tokens=30)).collect())[0] for t in ("one", "two")]
            script.kv_full_at = set(range(60, 80, 2)) | {90, 91}
            together = await asyncio.gather(*(engine.submit(chat(t, max_tokens=30)).collect() for t in ("one", "two")))
            assert [text for text, _ in together] == alone

    asyncio.run(run())


def test_request_cancelled_on_another_thread_ends_within_a_step_and_frees_its_sampler() -> None:
    async def run() -> None:
        opener = FakeOpener(Script(step_s=0.01))
        async with engine_over(opener) as engine:
            stream = engine.submit(chat())
            async for event in stream:
                if isinstance(event, TextDelta):
                    break
            n_decodes = opener.backends[0].n_decodes
            cancel = threading.Thread(target=stream.cancel)
            cancel.start()
            stream.cancel()
            rest = await events_of(stream)
            cancel.join()
            assert isinstance(rest[-1], Finished)
            assert rest[-1].reason == "cancelled"
            assert opener.backends[0].n_decodes - n_decodes <= 3
            text, _ = await engine.submit(chat(max_tokens=3)).collect()
            assert len(text) == 3
            assert opener.backends[0].n_open_samplers == 0

    asyncio.run(run())


def test_cancel_while_prompt_is_computed_sends_only_the_finished_event() -> None:
    async def run() -> None:
        opener = FakeOpener(Script(step_s=0.02))
        async with engine_over(opener) as engine:
            stream = engine.submit(chat("x" * 3000))
            await asyncio.sleep(0.1)
            stream.cancel()
            events = await events_of(stream)
            assert [type(event) for event in events] == [Finished]
            assert opener.backends[0].n_decodes < 15

    asyncio.run(run())


def test_request_that_wants_progress_gets_one_report_per_step_of_its_prompt() -> None:
    async def story() -> None:
        async with engine_over(FakeOpener(Script(b"Hello", step_s=0.02))) as engine:
            with_reports = replace(chat("x" * 3000), id="a", wants_progress=True)
            events = await events_of(engine.submit(with_reports))
            reports = [event for event in events if isinstance(event, PromptProgress)]
            assert events[: len(reports)] == reports
            assert isinstance(events[len(reports)], Started)
            check_shape(events[len(reports) :])
            assert len(reports) > 1
            assert [each.n_read for each in reports] == sorted({each.n_read for each in reports})
            assert reports[-1].n_read == reports[-1].n_prompt
            without = await events_of(engine.submit(replace(with_reports, id="b", wants_progress=False)))
            assert not [event for event in without if isinstance(event, PromptProgress)]

    asyncio.run(story())


def test_memory_use_names_the_owners_of_states_in_host_memory() -> None:
    async def story() -> None:
        async with engine_over(FakeOpener(Script(b"Hello"))) as engine:
            for owner, letter in (("chat", "x"), ("key", "y"), ("last", "z")):
                request = replace(chat(letter * 500), id=owner, owner=owner)
                await events_of(engine.submit(replace(request, origin="endpoint") if owner == "key" else request))
            usage = {each.owner: each for each in engine.memory.kv_usage}
            assert [usage[owner].origin for owner in ("chat", "key", "last")] == ["window", "endpoint", "window"]
            assert usage["chat"].host_bytes > 0
            assert usage["key"].host_bytes > 0
            assert usage["last"].share > 0

    asyncio.run(story())


def test_leaving_the_stream_context_cancels_the_request() -> None:
    async def run() -> None:
        opener = FakeOpener(Script(step_s=0.005))
        async with engine_over(opener) as engine:
            async with engine.submit(chat()) as stream:
                await anext(stream)
            text, _ = await engine.submit(chat(max_tokens=2)).collect()
            assert text
            assert opener.backends[0].n_open_samplers == 0

    asyncio.run(run())


def test_invalid_request_gets_failed_as_its_only_event() -> None:
    async def run() -> None:
        async with engine_over(FakeOpener()) as engine:
            (failed,) = await events_of(engine.submit(chat("x" * 5000)))
            assert isinstance(failed, Failed)
            assert isinstance(failed.error, ContextOverflow)
            assert failed.error.n_prompt > 5000
            assert failed.error.n_ctx == 4096
            (empty,) = await events_of(engine.submit(CompletionRequest("", "endpoint")))
            assert isinstance(empty, Failed)

    asyncio.run(run())


def test_submit_raises_if_the_request_id_is_in_use() -> None:
    async def run() -> None:
        async with engine_over(FakeOpener(Script(step_s=0.005))) as engine:
            request = chat(max_tokens=20)
            stream = engine.submit(request)
            with pytest.raises(ValueError, match="already under way"):
                engine.submit(request)
            await stream.collect()
            await engine.submit(request).collect()

    asyncio.run(run())


@pytest.mark.parametrize(("failure", "death"), [(NativeFailure, EngineDead), (CardFailure, CardLost)])
def test_native_failure_ends_every_request_and_model_can_be_loaded_again(
    failure: type[NativeFailure], death: type[EngineDead]
) -> None:
    async def run() -> None:
        # slow steps, so that all requests are submitted before the failure
        opener = FakeOpener(Script(fail_after=5, failure=failure, step_s=0.02))
        async with engine_over(opener) as engine:
            streams = [engine.submit(chat(str(i))) for i in range(3)]
            for stream in streams:
                events = await events_of(stream)
                check_shape(events)
                assert isinstance(events[-1], Failed)
                assert type(events[-1].error) is death
            assert engine.status.state == "dead"
            with pytest.raises(EngineDead):
                engine.submit(chat())
            opener.script.fail_after = None
            await engine.load(PATH)
            await engine.submit(chat(max_tokens=2)).collect()

    asyncio.run(run())


def test_load_reports_progress_and_can_be_cancelled() -> None:
    async def run() -> None:
        engine = Engine(FakeOpener(Script(load_s=20.0)))
        seen: list[Status] = []
        stop_watching = engine.watch(seen.append)
        loading = asyncio.create_task(engine.load(PATH))
        async with asyncio.timeout(15):
            while not any(status.progress > 0 for status in seen):  # noqa: ASYNC110 -- the load sets it
                await asyncio.sleep(0.01)
        with pytest.raises(NotLoaded) as refused:
            engine.submit(chat())
        assert refused.value.loading
        started = time.monotonic()
        engine.cancel_load()
        with pytest.raises(LoadCancelled):
            await loading
        assert time.monotonic() - started < 10
        await asyncio.sleep(0)
        stop_watching()
        assert [status.state for status in seen][-1] == "empty"
        await engine.aclose()
        assert seen[-1].state == "empty", "notified after watching ended"

    asyncio.run(run())


def test_cancelled_load_task_leaves_no_model_behind() -> None:
    async def run() -> None:
        opener = FakeOpener(Script(load_s=0.2))
        engine = Engine(opener)
        loading = asyncio.create_task(engine.load(PATH))
        await asyncio.sleep(0.05)
        loading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await loading
        await engine.load(PATH)
        await engine.submit(chat(max_tokens=2)).collect()
        await engine.aclose()
        assert all(backend.closed for backend in opener.backends)

    asyncio.run(run())


def test_load_error_is_raised_and_published_in_the_status() -> None:
    async def run() -> None:
        opener = FakeOpener(Script(load_error=ModelFileError(PATH, "it is damaged")))
        engine = Engine(opener)
        with pytest.raises(ModelFileError, match="damaged"):
            await engine.load(PATH)
        assert isinstance(engine.status.error, ModelFileError)
        with pytest.raises(NotLoaded):
            engine.submit(chat())
        await engine.aclose()

    asyncio.run(run())


def test_load_and_unload_end_running_requests_with_not_loaded() -> None:
    async def run() -> None:
        opener = FakeOpener(Script(step_s=0.005))
        async with engine_over(opener) as engine:
            for change in (engine.load(PATH), engine.unload()):
                stream = engine.submit(chat())
                await anext(stream)
                await change
                events = await events_of(stream)
                assert isinstance(events[-1], Failed)
                assert isinstance(events[-1].error, NotLoaded)
            assert [backend.closed for backend in opener.backends] == [True, True]
            assert engine.status.state == "empty"

    asyncio.run(run())


def test_close_sends_the_last_event_of_queued_and_running_requests() -> None:
    async def run() -> None:
        engine = Engine(FakeOpener(Script(step_s=0.005)))
        await engine.load(PATH)
        streams = [engine.submit(chat("x" * 500)) for _ in range(20)]
        await asyncio.sleep(0.02)
        await asyncio.gather(engine.aclose(), engine.aclose())
        for stream in streams:
            check_shape(await events_of(stream))
        with pytest.raises(EngineClosed):
            engine.submit(chat())
        with pytest.raises(EngineClosed):
            await engine.load(PATH)

    asyncio.run(run())


def test_engine_that_has_loaded_no_model_can_be_closed() -> None:
    async def run() -> None:
        await Engine(FakeOpener()).aclose()

    asyncio.run(run())


def test_requests_from_two_event_loops_get_their_answers() -> None:
    async def main() -> None:
        async with engine_over(FakeOpener(Script(answer=b"hello"))) as engine:

            async def ask(origin: str) -> list[str]:
                return [(await engine.submit(chat(origin=origin)).collect())[0] for _ in range(20)]

            elsewhere = asyncio.to_thread(lambda: asyncio.run(ask("endpoint")))
            there, here = await asyncio.gather(elsewhere, ask("window"))
            assert here == there == ["hello"] * 20

    asyncio.run(main())


def test_unload_frees_the_model_even_if_saving_a_snapshot_fails(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[SnapshotStore] = []
    close = SnapshotStore.close

    def recorded_close(store: SnapshotStore) -> None:
        closed.append(store)
        close(store)

    monkeypatch.setattr(SnapshotStore, "close", recorded_close)

    async def run() -> None:
        opener = FakeOpener()
        engine = Engine(opener, snapshots=tmp_path)
        await engine.load(PATH)
        first = chat("a" * 80, max_tokens=5, sampling=Sampling(temperature=1.0))
        answer, _ = await engine.submit(first).collect()
        # This request leaves enough unsaved tokens for a snapshot at unload, but too few for one before.
        await engine.submit(replace(first, id="next", answer_start=answer, max_tokens=20)).collect()

        def fail(slot: int) -> memoryview:
            raise MemoryError

        opener.backends[0].save = fail  # type: ignore[method-assign]
        await engine.load(PATH)
        assert (await engine.submit(chat(max_tokens=5)).collect())[1].usage.n_output > 0
        await engine.aclose()
        assert "last snapshots" in caplog.text
        assert len(closed) == 2, "the threads of a store were left behind"

    asyncio.run(run())


def test_progress_counts_computed_prompt_tokens() -> None:
    async def run() -> None:
        opener = FakeOpener(Script(answer=b"Yes.", step_s=0.01), Limits(n_cells=4096, n_slots=8, n_batch=64))
        async with engine_over(opener) as engine:
            stream = engine.submit(chat("a long question " * 60, max_tokens=10))
            seen = [engine.progress(stream.request_id)]
            reading = asyncio.create_task(events_of(stream))
            while not reading.done():
                seen.append(engine.progress(stream.request_id))
                await asyncio.sleep(0.005)
            await reading
            found = [each for each in seen if each is not None]
            assert found[0].waits_for == "preparation"
            read = [each.n_read for each in found if each.n_prompt]
            assert read == sorted(read)
            assert len(set(read)) > 5
            assert any(each.waits_for is None and 0 < each.n_read < each.n_prompt for each in found)
            assert engine.progress(stream.request_id) is None

    asyncio.run(run())


def test_progress_reports_stopping_between_cancel_and_the_last_event() -> None:
    async def run() -> None:
        async with engine_over(FakeOpener(Script(step_s=0.05))) as engine:
            stream = engine.submit(chat())
            stream.cancel()
            progress = engine.progress(stream.request_id)
            assert progress is not None
            assert progress.is_stopping
            await events_of(stream)
            assert engine.progress(stream.request_id) is None

    asyncio.run(run())


def test_progress_of_a_request_that_has_no_slot_reports_that_it_waits_for_a_slot() -> None:
    async def run() -> None:
        opener = FakeOpener(Script(step_s=0.01), Limits(n_cells=4096, n_slots=8, n_batch=64, n_running=1))
        async with engine_over(opener) as engine:
            first = engine.submit(chat("One.", max_tokens=300))
            second = engine.submit(chat("Two.", max_tokens=2))
            reasons = set()
            while (progress := engine.progress(second.request_id)) is not None:
                reasons.add(progress.waits_for)
                if "slot" in reasons:
                    first.cancel()
                await asyncio.sleep(0.005)
            assert "slot" in reasons
            await events_of(first)
            await events_of(second)

    asyncio.run(run())

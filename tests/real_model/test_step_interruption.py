"""Interrupting a decode of the real model: it ends early and leaves no trace in KV memory."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.backend import Chunk, Interrupted, LoadSettings
from engine.engine import Engine
from engine.events import Finished
from engine.native.backend import NativeBackend, open_native
from engine.requests import CompletionRequest, Sampling

N = 128


@pytest.fixture
def backend(model_path: Path) -> Iterator[NativeBackend]:
    backend = open_native(model_path, LoadSettings(n_ctx=2048), lambda _: True)
    yield backend
    backend.close()


def chunk(start: int, slot: int = 0, n: int = N) -> Chunk:
    return Chunk(slot, start, [100 + (7 * i) % 900 for i in range(start, start + n)], sample_last=True)


def decode(backend: NativeBackend, *chunks: Chunk, interruptible: bool = False) -> float:
    """Returns the CPU time that the decode took. It does not depend on other processes."""
    started = time.thread_time()
    if interruptible:
        backend.allow_interruption()
    backend.decode(chunks, 1, interruptible=interruptible)
    return time.thread_time() - started


def test_interrupted_decode_ends_early_and_the_same_decode_gives_the_same_logits(backend: NativeBackend) -> None:
    whole_s = decode(backend, chunk(0))
    decode(backend, chunk(N))
    expected = backend.logits(N - 1).copy()
    backend.truncate(0, N)
    timer = threading.Timer(0.2 * whole_s, backend.interrupt)
    timer.start()
    started = time.thread_time()
    with pytest.raises(Interrupted):
        decode(backend, chunk(N), interruptible=True)
    assert time.thread_time() - started < 0.8 * whole_s
    timer.join()
    decode(backend, chunk(N))
    assert np.array_equal(backend.logits(N - 1), expected)


def test_interrupt_without_an_interruptible_decode_does_nothing(backend: NativeBackend) -> None:
    backend.interrupt()
    decode(backend, chunk(0), interruptible=True)
    timer = threading.Timer(0.05, backend.interrupt)
    timer.start()
    decode(backend, chunk(N))
    timer.join()
    decode(backend, chunk(2 * N), interruptible=True)


def test_interrupt_before_an_interruptible_decode_ends_it_if_it_was_allowed(backend: NativeBackend) -> None:
    backend.allow_interruption()
    backend.interrupt()
    with pytest.raises(Interrupted):
        backend.decode([chunk(0)], 1, interruptible=True)
    backend.allow_interruption()
    backend.interrupt()
    decode(backend, chunk(0))


def test_interrupted_decode_keeps_a_prefix_that_slots_share(backend: NativeBackend) -> None:
    whole_s = decode(backend, chunk(0))
    backend.copy(0, 1, N)
    decode(backend, chunk(N, slot=1, n=1))
    expected = backend.logits(0).copy()
    backend.truncate(1, N)
    timer = threading.Timer(0.3 * whole_s, backend.interrupt)
    timer.start()
    with pytest.raises(Interrupted):
        decode(backend, chunk(N), interruptible=True)
    timer.join()
    decode(backend, chunk(N, slot=1, n=1))
    assert np.array_equal(backend.logits(0), expected)


def test_cancel_while_a_long_prompt_is_read_ends_the_request_before_the_slice_ends(model_path: Path) -> None:
    async def run() -> None:
        engine = Engine()
        await engine.load(model_path, LoadSettings(n_ctx=2048, n_threads=1))
        _, finished = await engine.submit(prompt(256, "first")).collect()
        stream = engine.submit(prompt(1500, "second"))
        while not ((progress := engine.progress(stream.request_id)) and progress.prefill_s):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        started = time.perf_counter()
        stream.cancel()
        events = [event async for event in stream]
        seconds = time.perf_counter() - started
        await engine.aclose()
        assert isinstance(events[-1], Finished)
        assert events[-1].reason == "cancelled"
        assert seconds < finished.timings.prefill_s

    asyncio.run(run())


def prompt(n_tokens: int, word: str) -> CompletionRequest:
    return CompletionRequest(f" {word}" * n_tokens, "endpoint", Sampling(temperature=0.9), max_tokens=1)

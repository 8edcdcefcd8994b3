"""`engine.overhead`: the milliseconds per decode step that the engine spends outside llama.cpp, on the thread that
calls llama.cpp.

A step lasts from one call of llama_decode to the next, minus the time of the calls that decode and sample. The event
loop that receives the tokens runs in the same process."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from engine.engine import Engine
from engine.native.llama import C
from tests.bench.engine_run import percentile, question, running_engine, submit_and_time
from tests.bench.figure import Figure

N_TOKENS, N_ROUNDS = 64, 4
WARM_STEPS = 8
"""The number of steps that are ignored at the start and at the end of a measurement, because not all sequences decode
in them."""


class StepTimer:
    """Measures the time of each step outside llama.cpp, with timers around llama.cpp's functions for decoding and
    sampling. While the engine runs, one thread calls both."""

    def __init__(self) -> None:
        self.outside_s: list[float] = []
        self._step_started_s = self._inside_s = 0.0

    def timed(self, call: Callable[..., Any], *, starts_step: bool) -> Callable[..., Any]:
        def timed_call(*arguments: object) -> Any:
            started = time.perf_counter()
            if starts_step:
                if self._step_started_s:
                    self.outside_s.append(started - self._step_started_s - self._inside_s)
                self._step_started_s, self._inside_s = started, 0.0
            result = call(*arguments)
            self._inside_s += time.perf_counter() - started
            return result

        return timed_call


@contextmanager
def _timed_steps() -> Iterator[StepTimer]:
    steps = StepTimer()
    decode, sample = C.llama_decode, C.llama_sampler_sample
    C.llama_decode, C.llama_sampler_sample = (
        steps.timed(decode, starts_step=True),
        steps.timed(sample, starts_step=False),
    )
    try:
        yield steps
    finally:
        C.llama_decode, C.llama_sampler_sample = decode, sample


def measure() -> tuple[Figure, ...]:
    one, sixteen = asyncio.run(_measure())
    return (_figure("engine.overhead", one, 0.5), _figure("engine.overhead_16", sixteen, 3.0))


def _figure(name: str, seconds: list[float], bound: float) -> Figure:
    against = (
        f"nothing: absolute, median of {len(seconds)} steps; 95th percentile {1000 * percentile(seconds, 0.95):.2g}"
    )
    return Figure(name, 1000 * statistics.median(seconds), bound, "ms", against)


async def _measure() -> tuple[list[float], list[float]]:
    one: list[float] = []
    sixteen: list[float] = []
    async with running_engine() as engine:
        for _ in range(N_ROUNDS):
            one += await _steps(engine, 1)
            sixteen += await _steps(engine, 16)
    return one, sixteen


async def _steps(engine: Engine, n_streams: int) -> list[float]:
    """Runs `n_streams` requests with the same prompt. Returns, for each step in which all of them decode, the seconds
    spent outside llama.cpp."""
    with _timed_steps() as steps:
        await asyncio.gather(*(submit_and_time(engine, question(max_tokens=N_TOKENS)) for _ in range(n_streams)))
    return steps.outside_s[WARM_STEPS:-WARM_STEPS]

"""`engine.overhead`: the native thread's time per step outside llama.cpp, beside the asker's own loop in the same
process: from one decode to the next, less the calls that compute and that sample."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from engine.engine import Engine
from engine.native.llama import C
from tests.bench.figure import Figure
from tests.bench.rig import engine, percentile, question, watch

N_TOKENS, N_ROUNDS = 64, 4
WARM_STEPS = 8
"""Left out at both ends, where sequences come and go."""


class Steps:
    """Watches two calls of llama.cpp. Native thread only, until it has come to rest."""

    def __init__(self) -> None:
        self.outside_s: list[float] = []
        self._began = self._inside_s = 0.0

    def timed(self, call: Callable[..., Any], *, begins: bool) -> Callable[..., Any]:
        def timed_call(*arguments: object) -> Any:
            started = time.perf_counter()
            if begins:
                if self._began:
                    self.outside_s.append(started - self._began - self._inside_s)
                self._began, self._inside_s = started, 0.0
            result = call(*arguments)
            self._inside_s += time.perf_counter() - started
            return result

        return timed_call


@contextmanager
def _watched() -> Iterator[Steps]:
    steps = Steps()
    decode, sample = C.llama_decode, C.llama_sampler_sample
    C.llama_decode, C.llama_sampler_sample = steps.timed(decode, begins=True), steps.timed(sample, begins=False)
    try:
        yield steps
    finally:
        C.llama_decode, C.llama_sampler_sample = decode, sample


def measure() -> tuple[Figure, ...]:
    one, sixteen = asyncio.run(_measure())
    return (_figure("engine.overhead", one, 0.5), _figure("engine.overhead_16", sixteen, 3.0))


def _figure(name: str, seconds: list[float], bound: float) -> Figure:
    against = (
        f"nothing: absolute, median of {len(seconds)} steps; 95 in 100 below {1000 * percentile(seconds, 0.95):.2g}"
    )
    return Figure(name, 1000 * statistics.median(seconds), bound, "ms", against)


async def _measure() -> tuple[list[float], list[float]]:
    one: list[float] = []
    sixteen: list[float] = []
    async with engine() as made:
        for _ in range(N_ROUNDS):
            one += await _steps(made, 1)
            sixteen += await _steps(made, 16)
    return one, sixteen


async def _steps(made: Engine, n_streams: int) -> list[float]:
    """Seconds outside llama.cpp of each step in which all write. All read the same prompt, so they write in step."""
    with _watched() as steps:
        await asyncio.gather(*(watch(made, question(max_tokens=N_TOKENS)) for _ in range(n_streams)))
    return steps.outside_s[WARM_STEPS:-WARM_STEPS]

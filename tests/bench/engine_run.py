"""Runs an engine with the default model, creates requests for it, and records the timing of events."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from engine.chat_engine import ChatEngine
from engine.engine import Engine
from engine.events import Failed, Finished, Started, TextDelta
from engine.files.profile import Profile
from engine.library.default_model import find_default_model
from engine.priority import Origin
from engine.requests import GREEDY, ChatRequest, CompletionRequest, Message, Request, Sampling

QUESTION = "Tell me a long story about the sea."
ENDLESS = Sampling(temperature=0.0, ignore_eos=True)


def default_model() -> Path:
    path = find_default_model(Profile.default())
    assert path is not None, "the default model is missing: `make bench` sets it up"
    return path


@asynccontextmanager
async def running_engine(snapshots: Path | None = None) -> AsyncIterator[Engine]:
    """Runs an engine with the default model. Its weights are in memory, since it has already given a short answer."""
    engine = Engine(snapshots=snapshots)
    try:
        await engine.load(default_model())
        await engine.submit(question(max_tokens=16)).collect()
        yield engine
    finally:
        await engine.aclose()


def question(
    text: str = QUESTION, origin: Origin = "window", max_tokens: int = 64, sampling: Sampling = ENDLESS
) -> ChatRequest:
    return ChatRequest((Message("user", text),), origin, sampling, max_tokens=max_tokens)


def long_prompt(n_tokens: int, seed: int, max_tokens: int = 1, origin: Origin = "endpoint") -> CompletionRequest:
    """A request whose prompt has about `n_tokens` tokens. Prompts with different seeds have no common prefix."""
    words = " ".join(f"item {seed * 7919 + i}" for i in range(n_tokens // 6))
    return CompletionRequest(f"List {seed}: {words}", origin, GREEDY, max_tokens=max_tokens)


@dataclass
class Timing:
    """The times at which the events of one request arrived, in seconds of `time.perf_counter`."""

    submitted_s: float = 0.0
    arrivals: list[tuple[float, int]] = field(default_factory=list)
    """For each text event its time, and the number of tokens in it."""
    finished: Finished | None = None

    @property
    def first_s(self) -> float:
        """Seconds from submission to the first text."""
        return self.arrivals[0][0] - self.submitted_s

    @property
    def tokens_per_s(self) -> float:
        """The decode speed from the first text to the last."""
        n = sum(n for _, n in self.arrivals[1:])
        return n / (self.arrivals[-1][0] - self.arrivals[0][0])

    def speed(self, start: float, end: float) -> float:
        """Tokens per second between the times `start` and `end`."""
        return sum(n for moment, n in self.arrivals if start < moment <= end) / (end - start)

    def gaps_s(self, start: float = 0.0, end: float = float("inf")) -> list[float]:
        """The gaps between successive texts that overlap the time from `start` to `end`."""
        moments = [moment for moment, _ in self.arrivals]
        return [after - before for before, after in pairwise(moments) if after > start and before < end]


async def submit_and_time(engine: ChatEngine, request: Request) -> Timing:
    """Submits a request and records the timing of its events. If the request fails, its error is raised."""
    timing = Timing(submitted_s=time.perf_counter())
    async for event in engine.submit(request):
        match event:
            case TextDelta(n_tokens=n):
                timing.arrivals.append((time.perf_counter(), n))
            case Finished():
                timing.finished = event
            case Failed(error=error):
                raise error
            case Started():
                pass
    return timing


def percentile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

"""An engine with the default model, and how it is asked and watched."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

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
async def engine(snapshots: Path | None = None) -> AsyncIterator[Engine]:
    """With the weights paged in by one short answer."""
    made = Engine(snapshots=snapshots)
    try:
        await made.load(default_model())
        await made.submit(question(max_tokens=16)).collect()
        yield made
    finally:
        await made.aclose()


def question(
    text: str = QUESTION, origin: Origin = "window", max_tokens: int = 64, sampling: Sampling = ENDLESS
) -> ChatRequest:
    return ChatRequest((Message("user", text),), origin, sampling, max_tokens=max_tokens)


def long_prompt(n_tokens: int, seed: int, max_tokens: int = 1, origin: Origin = "endpoint") -> CompletionRequest:
    """About so many tokens that no other seed's prompt begins with."""
    words = " ".join(f"item {seed * 7919 + i}" for i in range(n_tokens // 6))
    return CompletionRequest(f"List {seed}: {words}", origin, GREEDY, max_tokens=max_tokens)


@dataclass
class Seen:
    """What the asker of one request saw, by its own clock."""

    asked: float = 0.0
    arrivals: list[tuple[float, int]] = field(default_factory=list)
    """When text came, and how many tokens it had."""
    finished: Finished | None = None

    @property
    def first_s(self) -> float:
        return self.arrivals[0][0] - self.asked

    @property
    def tokens_per_s(self) -> float:
        """From the first text to the last."""
        n = sum(n for _, n in self.arrivals[1:])
        return n / (self.arrivals[-1][0] - self.arrivals[0][0])

    def speed(self, start: float, end: float) -> float:
        """Tokens per second in that stretch of time."""
        return sum(n for moment, n in self.arrivals if start < moment <= end) / (end - start)

    def gaps_s(self, start: float = 0.0, end: float = float("inf")) -> list[float]:
        """Between one text and the next, where both lie in the stretch of time."""
        moments = [moment for moment, _ in self.arrivals if start <= moment <= end]
        return [after - before for before, after in pairwise(moments)]


async def watch(engine: Engine, request: Request) -> Seen:
    seen = Seen(asked=time.perf_counter())
    async for event in engine.submit(request):
        match event:
            case TextDelta(n_tokens=n):
                seen.arrivals.append((time.perf_counter(), n))
            case Finished():
                seen.finished = event
            case Failed(error=error):
                raise error
            case Started():
                pass
    return seen


def percentile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

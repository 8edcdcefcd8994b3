"""Measures short questions that are sent while a long prompt is read, and running answers meanwhile.

`engine.short_behind_long`: time to first token of a short question, divided by that of the same kind of question alone.
Questions are sent by the endpoint and by the window, soon after the long prompt and late in its prefill. The figure is
that of the slowest of these cases. `engine.long_before_short`: time to first token of the long prompt with these
questions in between, divided by that of a long prompt alone. `engine.stream_gap`: the longest gap of a running answer
while a long prompt is read. Two answers run at the endpoint; in half of the rounds, a third one runs in the window.

The long prompt is sent to the endpoint. The endpoint's clients are processes of their own, and gaps are those between
the arrivals of texts at the client."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from api.server import EndpointServer
from engine.engine import Engine
from engine.priority import Origin
from tests.bench.engine_run import Timing, percentile, question, submit_and_time
from tests.bench.figure import Figure, spread
from tests.bench.http_load import Streamed, body, long_body, send, streaming
from tests.bench.http_servers import ours
from tests.bench.pairs import n_pairs

LONG_PROMPT, SHORT_ANSWER, N_ANSWER = 3000, 8, 1500
CASES: tuple[tuple[Origin, float], ...] = (("endpoint", 0.4), ("window", 2.5), ("endpoint", 5.0), ("window", 7.5))
"""Who sends a short question, and how many seconds after the long prompt."""
ORIGINS: tuple[Origin, ...] = ("endpoint", "window")
N_ALONE = 5
LEAD_S = 1.0
"""The seconds for which the answers run before the long prompt is sent."""


LONG_ANSWER = 4
"""Number of tokens of the answer to the long prompt. A single token may be without text."""


@dataclass(frozen=True, slots=True)
class Round:
    short_alone_s: float
    long_alone_s: float
    short_s: tuple[float, ...]
    """Time to first token of each of CASES."""
    long_s: float


def questions() -> tuple[Figure, Figure]:
    rounds = asyncio.run(_rounds())
    ratios = [[each.short_s[at] / each.short_alone_s for each in rounds] for at in range(len(CASES))]
    slowest = max(range(len(CASES)), key=lambda at: statistics.median(ratios[at]))
    origin, after_s = CASES[slowest]
    short = (
        f"alone: {spread([1000 * each.short_alone_s for each in rounds])} ms; from the {origin} {after_s:g} s after "
        f"{LONG_PROMPT} tokens: {spread([1000 * each.short_s[slowest] for each in rounds])} ms"
    )
    alone, beside = [each.long_alone_s for each in rounds], [each.long_s for each in rounds]
    long = f"alone: {spread(alone)} s; with {len(CASES)} questions in between: {spread(beside)} s"
    long_ratio = statistics.median(after / before for before, after in zip(alone, beside, strict=True))
    return (
        Figure("engine.short_behind_long", statistics.median(ratios[slowest]), 3.0, "ratio", short),
        Figure("engine.long_before_short", long_ratio, 1.3, "ratio", long),
    )


def stream_gap() -> Figure:
    gaps = [1000 * gap for gap in asyncio.run(_gaps())]
    against = (
        f"while {LONG_PROMPT} tokens are read; {len(gaps)} gaps of 2 answers at the endpoint, alone and beside one in "
        f"the window; 99th percentile {percentile(gaps, 0.99):.3g}"
    )
    return Figure("engine.stream_gap", max(gaps), 400.0, "ms", against)


async def _rounds() -> list[Round]:
    async with ours() as (engine, endpoint):
        return [await _round(engine, endpoint, at) for at in range(n_pairs())]


async def _round(engine: Engine, endpoint: EndpointServer, at: int) -> Round:
    alone = [await _short(engine, endpoint, origin, f"{at}, {i}") for i in range(N_ALONE) for origin in ORIGINS]
    (long_alone,) = await send(endpoint.port, [long_body(LONG_PROMPT, 2 * at, LONG_ANSWER)])
    reading = asyncio.create_task(send(endpoint.port, [long_body(LONG_PROMPT, 2 * at + 1, LONG_ANSWER)]))
    shorts = await asyncio.gather(
        *(_later(engine, endpoint, origin, after_s, f"{at}, {10 + i}") for i, (origin, after_s) in enumerate(CASES))
    )
    (long,) = await reading
    return Round(statistics.median(alone), long_alone.first_s, tuple(shorts), long.first_s)


async def _later(engine: Engine, endpoint: EndpointServer, origin: Origin, after_s: float, number: str) -> float:
    await asyncio.sleep(after_s)
    return await _short(engine, endpoint, origin, number)


async def _short(engine: Engine, endpoint: EndpointServer, origin: Origin, number: str) -> float:
    """Time to first token of a question of about ten tokens, which has not been asked before."""
    text = f"What rhymes with {number}?"
    if origin == "window":
        return (await submit_and_time(engine, question(text, "window", SHORT_ANSWER))).first_s
    (answer,) = await send(endpoint.port, [body(text, SHORT_ANSWER)])
    return answer.first_s


async def _gaps() -> list[float]:
    gaps: list[float] = []
    async with ours() as (engine, endpoint):
        for at in range(max(1, n_pairs() // 2)):
            gaps += await _gaps_at_endpoint(endpoint, 2 * at)
            gaps += await _gaps_beside_window(engine, endpoint, 2 * at + 1)
    return gaps


async def _gaps_at_endpoint(endpoint: EndpointServer, at: int) -> list[float]:
    async with streaming(endpoint.port, _endless(at)) as result:
        await asyncio.sleep(LEAD_S)
        (long,) = await send(endpoint.port, [long_body(LONG_PROMPT, at, 1)])
        return _during(long, await result())


async def _gaps_beside_window(engine: Engine, endpoint: EndpointServer, at: int) -> list[float]:
    answer = question(f"Tell me a long story about {at} trees.", max_tokens=N_ANSWER)
    async with streaming(endpoint.port, _endless(at)) as result:
        window = asyncio.create_task(submit_and_time(engine, answer))
        await asyncio.sleep(LEAD_S)
        (long,) = await send(endpoint.port, [long_body(LONG_PROMPT, at, 1)])
        engine.cancel(answer.id)
        return _during(long, [await window, *await result()])


def _endless(at: int) -> list[dict[str, Any]]:
    return [body(f"Tell me a long story about {at} {what}.", N_ANSWER) for what in ("ships", "towns")]


def _during(long: Streamed, answers: Sequence[Streamed | Timing]) -> list[float]:
    """The gaps of the answers while the long prompt was read."""
    return [gap for each in answers for gap in each.gaps_s(long.sent_s, long.arrivals_s[0])]

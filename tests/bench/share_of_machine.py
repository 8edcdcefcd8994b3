"""Compares our endpoint with the limit of the machine: the same work done by a loop in C (`bare_loop`).

`http.of_machine_one`: decode speed of one stream, from the first text to the last. `http.of_machine`: speed of eight
streams, from the first request to the end of the last answer. `http.of_machine_prompt`: time to first token of a long
prompt. Each is divided by that of the loop with the KV memory that is faster for the loop: shared, or one per sequence.
The loop has the common beginning of the prompts in its KV cache, as the endpoint has."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Awaitable, Callable
from typing import Any

from tests.bench.bare_loop import LoopTiming, bare_loop, no_bare_loop
from tests.bench.figure import Figure, Result, Skipped, spread
from tests.bench.http_load import Streamed, long_body, send, stories
from tests.bench.http_servers import N_CTX_PER_STREAM
from tests.bench.pairs import Comparison, alternate
from tests.bench.vs_llama_server import LONG_CONTEXT, LONG_PROMPT, N_STREAMS, N_TOKENS_EACH, N_TOKENS_ONE, used

Bodies = list[dict[str, Any]]
KINDS = {True: "one KV memory", False: "a KV memory per sequence"}


def one_stream() -> Result:
    name = "http.of_machine_one"
    if why := no_bare_loop():
        return Skipped(name, why)
    compared, against = _compare(
        lambda at: stories(1, N_TOKENS_ONE, at),
        lambda answers: answers[0].tokens_per_s,
        lambda timing: timing.decode_tokens_per_s,
        N_CTX_PER_STREAM,
    )
    return Figure(name, compared.ratio, 0.95, "ratio", f"{against} tokens/s", "at least")


def eight_streams() -> Result:
    name = "http.of_machine"
    if why := no_bare_loop():
        return Skipped(name, why)
    compared, against = _compare(
        lambda at: stories(N_STREAMS, N_TOKENS_EACH, at * N_STREAMS),
        _total_speed,
        lambda timing: timing.tokens_per_s,
        N_CTX_PER_STREAM,
    )
    return Figure(name, compared.ratio, 0.95, "ratio", f"{against} tokens/s", "at least")


def long_prompt() -> Result:
    name = "http.of_machine_prompt"
    if why := no_bare_loop():
        return Skipped(name, why)
    compared, against = _compare(
        lambda at: [long_body(LONG_PROMPT, at, 2)],
        lambda answers: answers[0].first_s,
        lambda timing: timing.read_s,
        LONG_CONTEXT,
        kinds=(True,),
    )
    return Figure(name, compared.ratio, 1.05, "ratio", f"{against} s")


def _total_speed(answers: list[Streamed]) -> float:
    elapsed = max(each.ended_s for each in answers) - min(each.sent_s for each in answers)
    return sum(each.n_tokens for each in answers) / elapsed


def _compare(
    bodies: Callable[[int], Bodies],
    ours: Callable[[list[Streamed]], float],
    limit: Callable[[LoopTiming], float],
    n_ctx: int,
    kinds: tuple[bool, ...] = (True, False),
) -> tuple[Comparison, str]:
    """Measures our endpoint and the loop with `bodies(round)`. Returns the comparison with the faster kind of KV memory
    of the loop, and a description of all values."""
    values: dict[bool, list[float]] = {kind: [] for kind in kinds}
    with bare_loop(n_ctx, len(bodies(0))) as loop:

        async def over_http(port: int, at: int) -> float:
            return ours(await send(port, bodies(at)))

        async def in_c(at: int) -> float:
            for kind in kinds:
                texts = [body["messages"][0]["content"] for body in bodies(at)]
                n_output = bodies(at)[0]["max_tokens"]
                values[kind].append(limit(await asyncio.to_thread(loop.run, texts, n_output, unified=kind)))
            return 0.0

        pairs = asyncio.run(_alternate(over_http, in_c))
    measured = {kind: each[-len(pairs) :] for kind, each in values.items()}
    best = max(kinds, key=lambda kind: statistics.median(measured[kind]))
    shown = "; ".join(f"{KINDS[kind]} {spread(each)}" for kind, each in measured.items())
    return Comparison(pairs, measured[best]), f"llama.cpp in C with {shown}; ours {spread(pairs)}"


async def _alternate(
    over_http: Callable[[int, int], Awaitable[float]], in_c: Callable[[int], Awaitable[float]]
) -> list[float]:
    async with used() as port:
        return (await alternate(lambda at: over_http(port, at), in_c)).ours

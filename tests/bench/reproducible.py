"""`engine.reproducible`: the number of requests whose result differs when they are repeated.

Each of N_REQUESTS requests runs alone four times: with an empty KV cache, again at once, after other requests have run
at the same time, and after a restart of the engine that keeps its snapshots. The results of the last three runs are
compared with the first. A result consists of the token ids and their log probabilities, with those of the likeliest
alternatives. Half of the requests are greedy, the others have a seed."""

from __future__ import annotations

import asyncio
import random
import tempfile
from dataclasses import replace
from pathlib import Path

from engine.engine import Engine
from engine.events import Failed, TextDelta
from engine.requests import CompletionRequest, Sampling, new_request_id
from tests.bench.engine_run import default_model, running_engine
from tests.bench.figure import Figure

N_REQUESTS, N_OUTPUT, N_ALTERNATIVES = 20, 16, 4
SHORTEST, LONGEST = 10, 1500
N_LOAD, N_CANCELLED = 24, 6
STATES = ("cached", "after load", "restarted")
WORDS = ("river", "stone", "seven", "winter", "light", "garden", "paper", "north", "glass", "morning", "iron", "field")

Answer = tuple[tuple[int, float, tuple[float, ...]], ...]
"""For each token its id, its log probability, and the log probabilities of the likeliest tokens."""


def measure() -> Figure:
    different = asyncio.run(_measure())
    found = ", ".join(f"{state}: {', '.join(map(str, numbers)) or 'none'}" for state, numbers in different.items())
    n_different = sum(map(len, different.values()))
    against = f"{N_REQUESTS} requests of {SHORTEST} to {LONGEST} tokens with an empty cache; different: {found}"
    return Figure("engine.reproducible", n_different, 0, f"of {len(STATES) * N_REQUESTS}", against)


async def _measure() -> dict[str, list[int]]:
    """The numbers of the requests whose result differs, for each of STATES."""
    requests = [_request(at) for at in range(N_REQUESTS)]
    results: dict[str, list[Answer]] = {"cold": []}
    with tempfile.TemporaryDirectory() as folder:
        async with running_engine(Path(folder)) as engine:
            results["cached"] = []
            for request in requests:
                await engine.load(default_model())
                results["cold"].append(await _answer(engine, request))
                results["cached"].append(await _answer(engine, request))
            await _load(engine)
            results["after load"] = [await _answer(engine, request) for request in requests]
        async with running_engine(Path(folder)) as engine:
            results["restarted"] = [await _answer(engine, request) for request in reversed(requests)][::-1]
    cold = results["cold"]
    return {
        state: [at for at, (first, again) in enumerate(zip(cold, results[state], strict=True)) if first != again]
        for state in STATES
    }


def _request(at: int) -> CompletionRequest:
    rng = random.Random(at)
    n_words = round(SHORTEST * (LONGEST / SHORTEST) ** (at / (N_REQUESTS - 1)))
    text = " ".join(rng.choice(WORDS) for _ in range(n_words))
    sampling = Sampling(temperature=0.0) if at % 2 else Sampling(seed=at)
    sampling = replace(sampling, ignore_eos=True)
    return CompletionRequest(text, "endpoint", sampling, max_tokens=N_OUTPUT, n_logprobs=N_ALTERNATIVES)


async def _answer(engine: Engine, request: CompletionRequest) -> Answer:
    tokens = []
    async for event in engine.submit(replace(request, id=new_request_id())):
        match event:
            case TextDelta(choices=choices):
                tokens += [
                    (choice.id, choice.logprob, tuple(logprob for _, logprob in choice.others)) for choice in choices
                ]
            case Failed(error=error):
                raise error
    return tuple(tokens)


async def _load(engine: Engine) -> None:
    """Runs requests of various lengths, most of them at the same time. Some are cancelled."""
    rng = random.Random(16)

    async def run(at: int) -> None:
        await asyncio.sleep(rng.random() * 2)
        request = replace(
            _request(rng.randrange(N_REQUESTS * 3 // 5)), max_tokens=rng.randrange(1, 60), n_logprobs=None
        )
        request = replace(request, prompt=f"{at} {request.prompt}", id=new_request_id(), sampling=Sampling())
        stream = engine.submit(request)
        if at < N_CANCELLED:
            asyncio.get_running_loop().call_later(rng.random(), engine.cancel, request.id)
        await stream.collect()

    await asyncio.gather(*(run(at) for at in range(N_LOAD)))

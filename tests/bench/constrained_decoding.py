"""`engine.constrained`: decode speed with a JSON schema constraint, divided by the speed without a constraint.

Answers with and without the constraint alternate. All are greedy and equally long, and no other request runs."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from dataclasses import replace

from engine.engine import Engine
from engine.files.profile import Profile
from engine.library.default_model import find_default_model
from engine.requests import GREEDY, ChatRequest, Constraint, Message, Sampling, new_request_id
from tests.bench.figure import Figure, spread

N_TOKENS, N_RUNS = 200, 7

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 40},
        "age": {"type": "integer", "minimum": 0, "maximum": 120},
        "kind": {"enum": ["sailor", "fisher", "pirate"]},
        "story": {"type": "string", "minLength": 40, "maxLength": 200},
    },
    "required": ["name", "age", "kind", "story"],
    "additionalProperties": False,
}
SCHEMA = Constraint("json_schema", json.dumps({"type": "array", "items": PERSON, "minItems": 20}))
"""A schema whose valid outputs have more than `N_TOKENS` tokens, so that every answer ends after `N_TOKENS`."""

UNCONSTRAINED = ChatRequest(
    (Message("user", "Write a long list of people at sea, as JSON."),),
    "endpoint",
    Sampling(temperature=GREEDY.temperature, ignore_eos=True),
    max_tokens=N_TOKENS,
)
CONSTRAINED = replace(UNCONSTRAINED, constraint=SCHEMA)


def measure() -> Figure:
    ratios, speeds = asyncio.run(_measure())
    return Figure(
        "engine.constrained",
        statistics.median(ratios),
        0.9,
        "ratio",
        f"unconstrained: {spread(speeds)} tokens/s",
        "at least",
    )


async def _measure() -> tuple[list[float], list[float]]:
    path = find_default_model(Profile.default())
    assert path is not None
    engine = Engine()
    await engine.load(path)
    try:
        # the first answers load the weights into memory and compile the schema
        await _tokens_per_s(engine, UNCONSTRAINED)
        await _tokens_per_s(engine, CONSTRAINED)
        ratios, speeds = [], []
        for _ in range(N_RUNS):
            speed = await _tokens_per_s(engine, UNCONSTRAINED)
            constrained = await _tokens_per_s(engine, CONSTRAINED)
            speeds.append((speed + await _tokens_per_s(engine, UNCONSTRAINED)) / 2)
            ratios.append(constrained / speeds[-1])
        return ratios, speeds
    finally:
        await engine.aclose()


async def _tokens_per_s(engine: Engine, request: ChatRequest) -> float:
    stream = engine.submit(replace(request, id=new_request_id()))
    first = 0.0
    n_tokens = 0
    async for event in stream:
        first = first or time.perf_counter()
        n_tokens = getattr(getattr(event, "usage", None), "n_output", n_tokens)
    assert n_tokens == N_TOKENS, "both answers must have the same length"
    return (n_tokens - 1) / (time.perf_counter() - first)

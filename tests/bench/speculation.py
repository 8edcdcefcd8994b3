"""Decode speed with draft tokens from the request's own text (`engine.speculation`), divided by the speed without.

Answers with and without drafts alternate. No other request runs."""

from __future__ import annotations

import asyncio
import json
import random
import statistics
from collections.abc import Sequence
from dataclasses import replace

from engine.engine import Engine
from engine.requests import GREEDY, CompletionRequest, Constraint, Sampling, new_request_id
from tests.bench.engine_run import running_engine
from tests.bench.figure import Figure, spread

N_LINES, N_EDITS = 300, 2
N_STORIES, N_STORY_TOKENS = 6, 300

NAMES = ("lamp", "harbour", "sail", "rope", "gull", "tar", "mast", "deck", "anchor", "oar", "buoy", "tide", "net")
VALUES = ("brass", "grey", "seven", "wet", "old", "blue", "broken", "heavy", "long", "quiet", "sharp", "white", "iron")


def ngram_edit() -> Figure:
    """`engine.ngram_edit`: repeating a file of 300 lines with three changes.

    The default model is too small to make changes that it is asked for, so a constraint allows only the changed file.
    The constraint applies with and without drafts."""
    ratios, plain = asyncio.run(_compare([_edit()] * N_EDITS))
    return _figure("engine.ngram_edit", ratios, plain, 2.0)


def ngram_prose() -> Figure:
    """`engine.ngram_prose`: stories, in which hardly anything repeats."""
    stories = [
        CompletionRequest(
            f"A story about a {VALUES[n]} {NAMES[n]}.\n\nIt was",
            "endpoint",
            Sampling(seed=n, ignore_eos=True),
            max_tokens=N_STORY_TOKENS,
        )
        for n in range(N_STORIES)
    ]
    ratios, plain = asyncio.run(_compare(stories))
    return _figure("engine.ngram_prose", ratios, plain, 0.98)


def _edit() -> CompletionRequest:
    draw = random.Random(5)
    lines = [f"{draw.choice(NAMES)} = {draw.choice(VALUES)}" for _ in range(N_LINES)]
    changed = lines.copy()
    for at, line in ((40, "mast = straight"), (150, "bell = silent and cold"), (260, "net")):
        changed[at] = line
    grammar = "start: " + " ".join(json.dumps(f"{line}\n") for line in changed)
    prompt = "\n".join(["# settings", *lines, "", "# settings, with three changes", ""])
    return CompletionRequest(prompt, "endpoint", GREEDY, constraint=Constraint("lark", grammar), max_tokens=4096)


async def _compare(requests: Sequence[CompletionRequest]) -> tuple[list[float], list[float]]:
    """Returns for each request the speed with drafts, divided by the speed without, and the speeds without."""
    ratios, plain = [], []
    async with running_engine() as engine:
        for n, request in enumerate(requests):
            await _tokens_per_s(engine, replace(request, max_tokens=1))  # reads the prompt
            speeds = {}
            for drafts in (None, 0) if n % 2 else (0, None):
                speeds[drafts] = await _tokens_per_s(engine, replace(request, n_draft_max=drafts))
            ratios.append(speeds[None] / speeds[0])
            plain.append(speeds[0])
    return ratios, plain


async def _tokens_per_s(engine: Engine, request: CompletionRequest) -> float:
    _, finished = await engine.submit(replace(request, id=new_request_id())).collect()
    return finished.usage.n_output / max(finished.timings.decode_s, 1e-6)


def _figure(name: str, ratios: list[float], plain: list[float], bound: float) -> Figure:
    return Figure(
        name, statistics.median(ratios), bound, "ratio", f"without drafts: {spread(plain)} tokens/s", "at least"
    )

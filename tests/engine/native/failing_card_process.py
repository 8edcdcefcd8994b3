"""Loads a model on a card that fails, and prints the results as JSON. tests/failing_card/failing_card.c is preloaded.

`python -m tests.engine.native.failing_card_process library model lose` loses the card during an answer, and loads the
model again; then the same with a card that does not recover. `… limit N` allows N bytes of memory on the card, and
loads the model three times."""

from __future__ import annotations

import asyncio
import ctypes
import json
import sys
from pathlib import Path

from engine.backend import LoadSettings
from engine.engine import Engine
from engine.events import Failed, TextDelta
from engine.native.devices import load_backend_library
from engine.requests import CompletionRequest, Sampling
from tests.failing_card.preload import allocated_bytes

ENDLESS = Sampling(temperature=0.0, ignore_eos=True)


def request(n_tokens: int) -> CompletionRequest:
    return CompletionRequest("the sea is wide", "endpoint", ENDLESS, max_tokens=n_tokens)


async def answer(engine: Engine) -> str:
    events = [event async for event in engine.submit(request(8))]
    return "".join(event.text for event in events if isinstance(event, TextDelta))


async def lose_during_answer(engine: Engine, *, for_ever: bool) -> str:
    """Loses the cards when the first text arrives. Returns the kind of the error that ends the answer."""
    async for event in engine.submit(request(400)):
        if isinstance(event, TextDelta):
            ctypes.CDLL(None).lose_cards(int(for_ever))
        if isinstance(event, Failed):
            return type(event.error).__name__
    return ""


async def load(engine: Engine, model: Path) -> dict[str, object]:
    info = await engine.load(model, LoadSettings(n_ctx=512))
    assert info.memory is not None
    return {"n_layers": info.memory.offload.n_layers, "n_layers_wanted": info.n_layers_wanted}


async def lose(model: Path) -> list[dict[str, object]]:
    engine = Engine()
    reports = [await load(engine, model)]
    reports[0]["answer"] = await answer(engine)
    for for_ever in (False, True):
        error = await lose_during_answer(engine, for_ever=for_ever)
        state = engine.status.state
        report = await load(engine, model)
        reports.append({"error": error, "state": state, "answer": await answer(engine), **report})
    await engine.aclose()
    return reports


async def limit(model: Path, n_bytes: int) -> list[dict[str, object]]:
    ctypes.CDLL(None).limit_memory(ctypes.c_uint64(n_bytes))
    engine, reports = Engine(), list[dict[str, object]]()
    for _ in range(3):
        report = await load(engine, model)
        await engine.unload()
        reports.append({**report, "n_left": allocated_bytes()})
    await engine.aclose()
    return reports


if __name__ == "__main__":
    library, file, scenario, *values = sys.argv[1:]
    load_backend_library(Path(library))
    run = lose(Path(file)) if scenario == "lose" else limit(Path(file), int(values[0]))
    sys.stdout.write(json.dumps(asyncio.run(run)))

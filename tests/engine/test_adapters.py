"""Adapter scales with a fake backend, which asserts that KV memory is empty whenever the scales change."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from engine.adapter import Adapter, AdapterScales
from engine.backend import LoadSettings
from engine.engine import Engine
from engine.requests import CompletionRequest, Sampling
from tests.fakes import FakeOpener

SETTINGS = LoadSettings(adapters=(Adapter(Path("one.gguf")), Adapter(Path("two.gguf"), 0.5)))


async def ask(engine: Engine, prompt: str, scales: AdapterScales | None = None, n: int = 8) -> str:
    request = CompletionRequest(prompt, "endpoint", Sampling(), max_tokens=n, adapter_scales=scales)
    return (await engine.submit(request).collect())[0]


def test_scales_of_a_request_default_to_those_of_the_load_and_missing_ones_are_0() -> None:
    async def run() -> None:
        opener = FakeOpener()
        engine = Engine(opener)
        await engine.load(Path("fake.gguf"), SETTINGS)
        used = await ask(engine, "a"), await ask(engine, "a", (1.0, 0.5))
        assert used[0] == used[1]
        await ask(engine, "a", (0.25,))
        engine.set_adapter_scales((2.0, 2.0))
        await ask(engine, "a")
        await engine.aclose()
        assert opener.backends[0].adapter_scales == [(1.0, 0.5), (0.25, 0.0), (2.0, 2.0)]

    asyncio.run(run())


def test_answers_with_different_scales_do_not_depend_on_other_requests(tmp_path: Path) -> None:
    async def run() -> None:
        choice = random.Random(5)
        wanted: list[AdapterScales] = [(1.0, 0.5), (1.0, 0.0), (0.0, 0.0)]
        opener = FakeOpener()
        engine = Engine(opener, snapshots=tmp_path)
        await engine.load(Path("fake.gguf"), SETTINGS)
        for scales in wanted[1:]:
            await ask(engine, "x", scales)  # the fake numbers the scales in the order of their first use
        cases = [
            ("word " * choice.choice([2, 20, 25]) + choice.choice("ab"), choice.choice(wanted), choice.choice([3, 60]))
            for _ in range(40)
        ]
        first, second = [await asyncio.gather(*(ask(engine, *case) for case in cases)) for _ in range(2)]
        assert first == second == [await ask(engine, *case) for case in cases]
        by_prompt = {scales: await ask(engine, "word", scales) for scales in wanted}
        assert len(set(by_prompt.values())) == 3
        await engine.aclose()

    asyncio.run(run())


def test_other_scales_are_ignored_if_the_model_has_no_adapters() -> None:
    async def run() -> None:
        opener = FakeOpener()
        engine = Engine(opener)
        await engine.load(Path("fake.gguf"))
        assert await ask(engine, "a", (1.0,)) == await ask(engine, "a")
        engine.set_adapter_scales((1.0,))
        await engine.aclose()
        assert opener.backends[0].adapter_scales == [()]

    asyncio.run(run())


def test_snapshot_is_read_from_disk_while_other_scales_are_in_use(tmp_path: Path) -> None:
    prompt = "word " * 40

    async def run() -> None:
        for others in ((), ((0.25,),)):
            engine = Engine(FakeOpener(), snapshots=tmp_path)
            await engine.load(Path("fake.gguf"), SETTINGS)
            for scales in others:
                await ask(engine, prompt, scales)
            request = CompletionRequest(prompt, "endpoint", Sampling(), max_tokens=4)
            n_cached = (await engine.submit(request).collect())[1].usage.n_cached
            assert (n_cached > 0) == bool(others)
            await engine.aclose()

    asyncio.run(run())

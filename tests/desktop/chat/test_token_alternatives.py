"""Tests of `token_alternatives`: words that could replace a word of an answer, computed from the cached prompt."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from desktop.chat.token_alternatives import token_alternatives
from engine.engine import Engine
from engine.events import Finished
from engine.stream import RequestStream
from tests.conftest import chat
from tests.fakes import FakeOpener, Script
from tests.real_model.test_engine import real_engine

SCRIPT = Script(answer=None, has_close_alternatives=True, step_s=0.001)


def test_token_alternatives_are_distinct_whole_words_in_order_of_probability(tmp_path: Path) -> None:
    async def story() -> None:
        engine = Engine(FakeOpener(SCRIPT))
        await engine.load(tmp_path / "fake.gguf")
        text, _ = await engine.submit(chat(max_tokens=120)).collect()
        for start, end in spans(text)[1:6]:
            choices = await token_alternatives(engine, chat(), text, start, end)
            words = [choice.word for choice in choices]
            assert text[start:end] in words
            assert len(words) == len(set(words)) > 1
            assert all(word == word.strip() and word for word in words)
            assert [choice.probability for choice in choices] == sorted((c.probability for c in choices), reverse=True)
            assert 0 < sum(choice.probability for choice in choices) <= 1
        await engine.aclose()

    asyncio.run(story())


def spans(text: str) -> list[tuple[int, int]]:
    found, at = [], 0
    for word in text.split(" "):
        if word:
            found.append((at, at + len(word)))
        at += len(word) + 1
    return found


def test_token_alternatives_include_improbable_current_word(tmp_path: Path) -> None:
    async def story() -> None:
        engine = Engine(FakeOpener(SCRIPT))
        await engine.load(tmp_path / "fake.gguf")
        choices = await token_alternatives(engine, chat(), "A Zürich", 2, 8)
        assert "Zürich" in [choice.word for choice in choices]
        await engine.aclose()

    asyncio.run(story())


@pytest.fixture
def n_computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Number of prompt tokens that each finished request has computed instead of reading them from the cache."""
    read: list[int] = []
    deliver = RequestStream.deliver

    def recording_deliver(stream: RequestStream, events: object) -> None:
        read.extend(each.usage.n_prompt - each.usage.n_cached for each in events if isinstance(each, Finished))  # type: ignore[attr-defined]
        deliver(stream, events)  # type: ignore[arg-type]

    monkeypatch.setattr(RequestStream, "deliver", recording_deliver)
    return read


def test_token_alternatives_reuse_cached_prompt(tmp_path: Path, n_computed: list[int]) -> None:
    async def story() -> None:
        opener = FakeOpener(SCRIPT)
        engine = Engine(opener)
        await engine.load(tmp_path / "fake.gguf")
        request = chat("Tell me of the sea. " * 20, max_tokens=100)
        text, finished = await engine.submit(request).collect()
        assert finished.usage.n_prompt > 400
        n_computed.clear()
        backend = opener.backends[0]
        backend.batch_sizes.clear()
        start, end = spans(text)[3]
        await token_alternatives(engine, request, text, start, end)
        await engine.aclose()
        assert sum(backend.batch_sizes) < 100, "the cached prompt was computed again"
        assert all(n <= 3 for n in n_computed)

    asyncio.run(story())


def test_token_alternatives_of_real_model_reuse_cached_prompt(model_path: Path, n_computed: list[int]) -> None:
    async def story() -> None:
        async with real_engine(model_path) as engine:
            request = chat("Tell me of the sea. " * 20, max_tokens=40)
            text, finished = await engine.submit(request).collect()
            n_computed.clear()
            for start, end in spans(text)[2:7]:
                word = text[start:end].strip(".,;:!?\n")
                end = start + len(word)
                if not word.isalpha():
                    continue
                choices = await token_alternatives(engine, request, text, start, end)
                words = [choice.word for choice in choices]
                assert word in words
                assert len(words) >= 2
                assert all(each.isprintable() and " " not in each for each in words)
                print(word, [(c.word, round(c.probability, 2)) for c in choices])  # noqa: T201 -- shown when the test fails
            assert finished.usage.n_prompt > 100
            assert max(n_computed) <= 4, "a prompt or an answer was computed again"

    asyncio.run(story())

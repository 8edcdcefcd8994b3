"""A second model that drafts: with the real model, which drafts for itself, and with tiny models."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.backend import LoadSettings
from engine.engine import Engine
from engine.errors import EngineError
from engine.library.memory_estimate import MARGIN_BYTES
from engine.native.backend import NativeBackend, open_native
from engine.requests import CompletionRequest
from tests.model_files.tiny_models import TINY_MODELS
from tests.real_model.test_drafts import COPY, SEEDED, STORY, answer, key


def open_with_cheap_drafts(path: Path, settings: LoadSettings, on_progress: Callable[[float], bool]) -> NativeBackend:
    """Opens a model with a draft model that counts as cheap, so that a model may draft for itself."""
    backend = open_native(path, settings, on_progress)
    assert backend.draft_model is not None
    assert backend.draft_model.cost >= 1.0
    backend.draft_model.cost = 0.05
    return backend


def test_model_that_drafts_for_itself_is_accepted_and_keeps_every_answer(model_path: Path) -> None:
    async def run() -> None:
        engine = Engine(open_with_cheap_drafts)
        await engine.load(model_path, LoadSettings(n_ctx=512, n_threads=1, draft_model=model_path))
        try:
            requests: list[CompletionRequest] = [STORY, replace(COPY, sampling=SEEDED)]
            for request in requests:
                request = replace(request, max_tokens=48)
                plain = await answer(engine, replace(request, n_draft_max=0))
                drafted = await answer(engine, request)
                assert key(drafted[0]) == key(plain[0])
            greedy = (await answer(engine, replace(STORY, max_tokens=48)))[1]
            assert greedy.n_drafted > 20
            assert greedy.n_accepted > 0.9 * greedy.n_drafted
            together = await asyncio.gather(*(answer(engine, replace(STORY, max_tokens=30)) for _ in range(3)))
            # Beside others, sums are rounded differently, and the number of drafts depends on measured times.
            assert [(usage.n_output, reason) for _, usage, reason in together] == [(30, "length")] * 3
        finally:
            await engine.aclose()

    asyncio.run(run())


def tiny(tmp_path: Path, name: str) -> Path:
    return TINY_MODELS[name].write(tmp_path / f"{name}.gguf")


def refusal(main: Path, draft: Path) -> EngineError:
    """Opens a model whose draft model cannot be used. Returns why."""
    backend = open_native(main, LoadSettings(n_ctx=512, n_threads=1, draft_model=draft), lambda _: True)
    try:
        assert backend.draft_model is None
        error = backend.info.draft_error
        assert error is not None
        assert error.path == draft
        return error.cause
    finally:
        backend.close()


def test_memory_of_the_draft_model_is_part_of_the_estimate_only_if_it_is_loaded(tmp_path: Path) -> None:
    main, draft = tiny(tmp_path, "plain"), tiny(tmp_path, "gemma3")
    for path, is_loaded in ((main, True), (draft, False), (tmp_path / "none.gguf", False)):
        backend = open_native(main, LoadSettings(n_ctx=512, n_threads=1, draft_model=path), lambda _: True)
        backend.close()
        assert (backend.info.draft_error is None) == is_loaded
        assert backend.info.memory is not None
        assert (backend.info.memory.draft_bytes > draft.stat().st_size) == is_loaded


def test_model_is_loaded_if_there_is_memory_for_it_but_not_for_its_draft_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = tiny(tmp_path, "plain")
    alone = open_native(main, LoadSettings(n_ctx=512, n_threads=1), lambda _: True)
    alone.close()
    assert alone.info.memory is not None
    memory = SimpleNamespace(available=alone.info.memory.needed + MARGIN_BYTES + 1000, total=1 << 30)
    monkeypatch.setattr("engine.library.memory_estimate.psutil", SimpleNamespace(virtual_memory=lambda: memory))
    backend = open_native(main, LoadSettings(n_ctx=512, n_threads=1, draft_model=main), lambda _: True)
    backend.close()
    assert backend.info.memory is not None
    assert backend.info.memory.draft_bytes == 0


def test_model_with_another_vocabulary_is_refused(model_path: Path, tmp_path: Path) -> None:
    assert "another vocabulary" in str(refusal(model_path, tiny(tmp_path, "plain")))


def test_recurrent_model_cannot_draft(tmp_path: Path) -> None:
    assert "cannot draft" in str(refusal(tiny(tmp_path, "plain"), tiny(tmp_path, "mamba")))

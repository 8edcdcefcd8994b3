"""Rows of logits of the real model are read without a copy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.backend import Chunk, LoadSettings, NativeFailure
from engine.native.backend import NativeBackend, open_native
from engine.native.llama import C
from engine.requests import GREEDY


@pytest.fixture
def backend(model_path: Path) -> Iterator[NativeBackend]:
    backend = open_native(model_path, LoadSettings(n_ctx=2048), lambda _: True)
    yield backend
    backend.close()


def test_logits_are_those_of_the_last_decode(backend: NativeBackend) -> None:
    sampler = backend.sampler(GREEDY, ())
    for start, n, needs_all in ((0, 1, False), (1, 3, True), (4, 40, True), (44, 1, False)):
        tokens = [100 + 7 * at for at in range(start, start + n)]
        backend.decode([Chunk(0, start, tokens, sample_last=True, needs_all_logits=needs_all)], 1)
        for row in range(n) if needs_all else [n - 1]:
            pointer = C.llama_get_logits_ith(backend._context.pointer, row)
            expected = np.ctypeslib.as_array(pointer, (backend.vocabulary.n_tokens,))
            assert np.array_equal(backend.logits(row), expected)
            assert sampler.sample(row) == expected.argmax()
    sampler.close()


def test_row_is_the_same_array_after_each_decode_and_its_changes_affect_sampling(backend: NativeBackend) -> None:
    sampler, views = backend.sampler(GREEDY, ()), set()
    for start in range(3):
        backend.decode([Chunk(0, start, [100 + start], sample_last=True)], 1)
        views.add(id(backend.logits(0)))
        backend.logits(0)[7] = 1e9
        assert sampler.sample(0) == 7
    assert len(views) == 1
    sampler.close()


def test_row_without_logits_raises_an_error(backend: NativeBackend) -> None:
    backend.decode([Chunk(0, 0, [100, 101], sample_last=True)], 1)
    with pytest.raises(NativeFailure):
        backend.logits(0)

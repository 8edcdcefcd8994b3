"""A prompt has the same KV state, bit by bit, with any number of prompt cuts in a decode."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from engine.backend import Chunk, LoadSettings
from engine.native.backend import open_native

N_TOKENS = 300


def test_decodes_of_several_prompt_cuts_give_the_same_state_and_logits(model_path: Path) -> None:
    backend = open_native(model_path, LoadSettings(n_ctx=1024), lambda _: True)
    cut = backend.limits.prompt_cut
    tokens = [1000 + 37 * at % 40_000 for at in range(N_TOKENS)]
    rest = [N_TOKENS - 1, N_TOKENS]
    results = []
    for bounds in ([0, cut, 2 * cut, *rest], [0, 2 * cut, *rest]):
        backend.reset()
        for start, end in pairwise(bounds):
            backend.decode([Chunk(0, start, tokens[start:end], sample_last=end == N_TOKENS)], 1)
        results.append((bytes(backend.save(0)), np.array(backend.logits(0))))
    backend.close()
    assert 2 * cut <= backend.limits.n_batch < N_TOKENS
    (state, logits), (other_state, other_logits) = results
    assert state == other_state
    assert np.array_equal(logits, other_logits)

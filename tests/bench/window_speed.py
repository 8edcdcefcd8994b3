"""`window.speed`: tokens per second as they appear in the window, ÷ a bare loop at its best thread count, in turn."""

from __future__ import annotations

import statistics
import tempfile

from engine.library.default_model import find_default_model
from engine.library.profile import Profile
from tests.bench.bare import BareModel, of_best
from tests.bench.child import run
from tests.bench.figure import Figure, spread

N_TOKENS, N_RUNS = 400, 5
"""Many tokens, since the end of an answer is seen up to a tenth of a second late."""


def measure() -> Figure:
    path = find_default_model(Profile.default())
    assert path is not None
    ours, rounds = [], []
    for _ in range(N_RUNS):
        with BareModel(path) as bare:
            rounds.append(bare.speeds(N_TOKENS))
        ours.append(window_tokens_per_s())
    speeds = of_best(rounds)
    ratios = [mine / theirs for mine, theirs in zip(ours, speeds, strict=True)]
    against = f"bare llama_decode, greedy, best thread count: {spread(speeds)} tokens/s"
    return Figure("window.speed", statistics.median(ratios), 0.92, "ratio", against, "at least")


def window_tokens_per_s() -> float:
    """From the first text that the window had to the last. The tokens of the first text are not counted."""
    with tempfile.TemporaryDirectory() as profile:
        seen = run("chat", profile, str(N_TOKENS))
    share = 1 - seen["n_chars_first"] / seen["n_chars"]
    return float(seen["n_tokens"] * share / seen["reading_s"])

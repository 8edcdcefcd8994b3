"""`window.speed`: tokens per second as they appear in the window, ÷ a bare loop at its best thread count, in turn."""

from __future__ import annotations

import statistics
import tempfile

from engine.files.profile import Profile
from engine.library.default_model import find_default_model
from tests.bench.bare import BareModel, of_best
from tests.bench.child import run
from tests.bench.figure import Figure, spread

N_TOKENS, N_RUNS = 400, 7
"""Many tokens, since the end of an answer is seen up to a twentieth of a second late."""


def measure() -> Figure:
    path = find_default_model(Profile.default())
    assert path is not None
    ours, rounds = [], []
    for _ in range(N_RUNS):
        speed, n_tokens = window_tokens_per_s()
        ours.append(speed)
        with BareModel(path, n_ctx=4096) as bare:
            rounds.append(bare.speeds(n_tokens))  # as many: the longer an answer, the slower its next token
    speeds = of_best(rounds)
    ratios = [mine / theirs for mine, theirs in zip(ours, speeds, strict=True)]
    against = f"bare llama_decode, greedy, best thread count: {spread(speeds)} tokens/s"
    return Figure("window.speed", statistics.median(ratios), 0.92, "ratio", against, "at least")


def window_tokens_per_s() -> tuple[float, int]:
    """From the first text that the window had to the last, and how many tokens there were. Those of the first text are
    not counted in the speed."""
    with tempfile.TemporaryDirectory() as profile:
        seen = run("chat", profile, str(N_TOKENS))
    share = 1 - seen["n_chars_first"] / seen["n_chars"]
    return float(seen["n_tokens"] * share / seen["reading_s"]), int(seen["n_tokens"])

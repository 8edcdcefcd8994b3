"""A packaged program has no Python beside it: where `python -m …` is wanted, it starts itself."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

LOAD_TRIAL_OPTION = "--probe-model"


def load_trial_command(path: Path) -> list[str]:
    """What starts a process that tries a model file."""
    if getattr(sys, "frozen", False):
        return [sys.executable, LOAD_TRIAL_OPTION, str(path)]
    return [sys.executable, "-m", "engine.native.load_trial_process", str(path)]


def other_duty(arguments: Sequence[str]) -> int | None:
    """Does what a packaged program was started for by itself; the exit code, None where a person started it."""
    if not getattr(sys, "frozen", False) or list(arguments[:1]) != [LOAD_TRIAL_OPTION]:
        return None
    from engine.native.load_trial_process import main  # imports llama.cpp, which nobody else here wants

    return main(list(arguments[1:]))

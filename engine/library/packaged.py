"""A packaged program has no Python beside it: where `python -m …` is wanted, it starts itself."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

PROBE_OPTION = "--probe-model"


def probe_command(path: Path) -> list[str]:
    """What starts a process that tries a model file."""
    if getattr(sys, "frozen", False):
        return [sys.executable, PROBE_OPTION, str(path)]
    return [sys.executable, "-m", "engine.native.probe", str(path)]


def other_duty(arguments: Sequence[str]) -> int | None:
    """Does what a packaged program was started for by itself; the exit code, None where a person started it."""
    if not getattr(sys, "frozen", False) or list(arguments[:1]) != [PROBE_OPTION]:
        return None
    from engine.native.probe import main  # imports llama.cpp, which nobody else here wants

    return main(list(arguments[1:]))

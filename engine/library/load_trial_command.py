"""The command line of the load trial, the child process that loads a model file before this process does."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

LOAD_TRIAL_OPTION = "--probe-model"
"""A packaged program has no Python interpreter to start, so it runs the load trial by starting itself with this
option."""


def load_trial_command(path: Path) -> list[str]:
    """The command line that starts the load trial of a model file."""
    if getattr(sys, "frozen", False):
        return [sys.executable, LOAD_TRIAL_OPTION, str(path)]
    return [sys.executable, "-m", "engine.native.load_trial_process", str(path)]


def load_trial_arguments(arguments: Sequence[str]) -> list[str] | None:
    """The arguments of the load trial if this packaged program was started for one; else None."""
    if not getattr(sys, "frozen", False) or list(arguments[:1]) != [LOAD_TRIAL_OPTION]:
        return None
    return list(arguments[1:])

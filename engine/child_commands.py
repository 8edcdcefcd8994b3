"""The command lines of the child processes in which files and drivers are tried that could crash the app."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

LOAD_TRIAL, DEVICE_PROBE = "load_trial_process", "device_probe_process"
"""The modules of `engine.native` that child processes run."""

_OPTIONS = {"--probe-model": LOAD_TRIAL, "--probe-devices": DEVICE_PROBE}
"""A packaged program has no Python interpreter to start, so it starts itself with one of these options."""


def load_trial_command(path: Path) -> list[str]:
    """The command line that starts the load trial of a model file."""
    return _command("--probe-model", str(path))


def device_probe_command(path: Path) -> list[str]:
    """The command line that lists the devices of a library for graphics cards."""
    return _command("--probe-devices", str(path))


def child_arguments(arguments: Sequence[str]) -> tuple[str, list[str]] | None:
    """The module of `engine.native` to run, and its arguments, if this packaged program was started as a child process;
    else None."""
    if not getattr(sys, "frozen", False) or not arguments or arguments[0] not in _OPTIONS:
        return None
    return _OPTIONS[arguments[0]], list(arguments[1:])


def _command(option: str, *arguments: str) -> list[str]:
    if getattr(sys, "frozen", False):
        return [sys.executable, option, *arguments]
    return [sys.executable, "-m", f"engine.native.{_OPTIONS[option]}", *arguments]

"""The order of set-up: what fails early and cheaply comes first, the compiler last."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from . import checks, compiled, environment, model, system_packages
from .console import say
from .places import BUILD, LOCKS
from .process import start_log
from .state import State, digest, made_by


def ensure(lock: str, *, window: bool) -> None:
    """Sets up what `lock` ("runtime" or "dev") names, and with `window` what Qt needs. Quick when all is there.

    Raises SetupError with one sentence when it cannot.
    """
    parts = (lock, "window") if window else (lock,)
    wheel = _wheel()
    if _is_done(State.load(), parts, wheel):
        return
    with _alone():
        state = State.load()
        if not _is_done(state, parts, wheel):
            _set_up(state, lock, parts, wheel)


def ensure_uv() -> None:
    """Only .venv and uv in it: enough to lock."""
    state = State.load()
    with _alone():
        system_packages.ensure(window=False)
        _prepare(state)
        state.working = False
        state.save()


def _wheel() -> Path | None:
    named = os.environ.get("WHEEL")
    return Path(named).expanduser().resolve() if named else None


def _identity(wheel: Path) -> str:
    """Tells a wheel from a newer one of the same name."""
    return f"{wheel} {wheel.stat().st_mtime_ns if wheel.exists() else 0}"


def _is_done(state: State, parts: tuple[str, ...], wheel: Path | None) -> bool:
    return state.has(parts) and model.is_there(state.model) and (wheel is None or state.wheel == _identity(wheel))


def _set_up(state: State, lock: str, parts: tuple[str, ...], wheel: Path | None) -> None:
    began_s = time.monotonic()
    if not state.done:
        checks.disk()
    if wheel is not None:
        environment.check_wheel(wheel)
    elif not environment.llama_is_installed() or _is_compiled_otherwise(state):
        checks.compiler()
    system_packages.ensure(window="window" in parts)
    _prepare(state)
    path = LOCKS / f"{lock}.txt"
    environment.install_all_but_llama(path)
    state.model = model.ensure()
    if wheel is not None and state.wheel != _identity(wheel):
        environment.install_wheel(wheel)
        state.wheel = _identity(wheel)
    environment.install_llama(path, anew=_is_compiled_otherwise(state))
    state.compiled = "" if state.wheel else compiled.way_and_processor()
    environment.install_project()
    # What developers have includes what users have.
    for part in (*parts, "runtime"):
        state.done[part] = digest()
    state.working = False
    state.save()
    say(f"Set up in {time.monotonic() - began_s:.0f} s")


def _is_compiled_otherwise(state: State) -> bool:
    """Whether the llama.cpp that is installed was compiled for another processor, or in another way. A ready-built
    wheel that was named once stays."""
    return not state.wheel and state.compiled != compiled.way_and_processor() and environment.llama_is_installed()


def _prepare(state: State) -> None:
    """A .venv that works, with uv in it, marked as being worked on."""
    # A .venv that says nothing of itself was made by hand, or was cut short before it held uv.
    ours = state.made_by == made_by() or (not state.made_by and environment.has_uv())
    if environment.ensure_venv(trusted=ours and not state.working):
        state.done, state.wheel, state.compiled = {}, "", ""
    state.made_by, state.working = made_by(), True
    state.save()
    environment.ensure_uv()


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Holds off a second set-up of the same checkout, which would write into the same .venv."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another set-up is at work here: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        start_log()
        yield

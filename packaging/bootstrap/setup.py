"""Runs the steps of set-up. Fast steps that may fail are run first, and the compilation is last."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from . import build_fingerprint, checks, environment, graphics_drivers, model, system_packages
from .console import say
from .paths import BUILD, LOCKS
from .process import start_log
from .state import State, checkout_id, digest


def ensure(lock: str, *, window: bool) -> None:
    """Installs the packages of the lock file `lock`, which is "runtime" or "dev". With `window`, also installs the
    libraries that Qt needs.

    Returns quickly if everything is installed. Raises SetupError."""
    parts = (lock, "window") if window else (lock,)
    wheel = _wheel()
    if _is_done(State.load(), parts, wheel):
        return
    with _exclusive():
        state = State.load()
        if not _is_done(state, parts, wheel):
            _set_up(state, lock, parts, wheel)


def ensure_uv() -> None:
    """Creates a .venv that contains only uv, which is enough to update the lock files."""
    state = State.load()
    with _exclusive():
        system_packages.ensure(window=False)
        _prepare(state)
        state.working = False
        state.save()


def _wheel() -> Path | None:
    named = os.environ.get("WHEEL")
    return Path(named).expanduser().resolve() if named else None


def _identity(wheel: Path) -> str:
    """An identifier of a wheel: its path and modification time."""
    return f"{wheel} {wheel.stat().st_mtime_ns if wheel.exists() else 0}"


def _is_done(state: State, parts: tuple[str, ...], wheel: Path | None) -> bool:
    return state.has(parts) and model.is_installed(state.model) and (wheel is None or state.wheel == _identity(wheel))


def _set_up(state: State, lock: str, parts: tuple[str, ...], wheel: Path | None) -> None:
    started_s = time.monotonic()
    if not state.done:
        checks.disk()
    if wheel is not None:
        environment.check_wheel(wheel)
    elif not environment.llama_is_installed() or _is_llama_outdated(state):
        checks.compiler()
    system_packages.ensure(window="window" in parts)
    _prepare(state)
    path = LOCKS / f"{lock}.txt"
    environment.install_all_but_llama(path)
    state.model = model.ensure()
    if wheel is not None and state.wheel != _identity(wheel):
        environment.install_wheel(wheel)
        state.wheel = _identity(wheel)
    environment.install_llama(path, reinstall=_is_llama_outdated(state))
    state.compiled = "" if state.wheel else build_fingerprint.native_build_digest()
    environment.install_project()
    graphics_drivers.ensure()
    # The development packages include the runtime packages.
    for part in (*parts, "runtime"):
        state.done[part] = digest()
    state.working = False
    state.save()
    say(f"Set up in {time.monotonic() - started_s:.0f} s")


def _is_llama_outdated(state: State) -> bool:
    """Whether llama.cpp must be compiled again, because it was compiled for another processor or with other settings.

    False if an earlier set-up installed a ready-built wheel, since such a wheel is never replaced."""
    return (
        not state.wheel
        and state.compiled != build_fingerprint.native_build_digest()
        and environment.llama_is_installed()
    )


def _prepare(state: State) -> None:
    """Ensures that .venv works and contains uv, and records that set-up is changing it."""
    # A .venv without a record was created manually, or set-up was interrupted before it installed uv.
    ours = state.made_by == checkout_id() or (not state.made_by and environment.has_uv())
    if environment.ensure_venv(trusted=ours and not state.working):
        state.done, state.wheel, state.compiled = {}, "", ""
    state.made_by, state.working = checkout_id(), True
    state.save()
    environment.ensure_uv()


@contextlib.contextmanager
def _exclusive() -> Iterator[None]:
    """Holds a lock file, so that only one set-up at a time writes to .venv."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another set-up of this checkout")
            fcntl.flock(lock, fcntl.LOCK_EX)
        start_log()
        yield

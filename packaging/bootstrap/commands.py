"""The names that the Makefile knows, one function each."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from . import checks, clients, peer, setup
from . import translations as words
from .console import say
from .errors import SetupError
from .places import BIN, BUILD, LOCKS, LOG, PYTHON, ROOT, UV, VENV
from .process import DISK_FULL, shown

_DEVELOPERS = ("pyproject.toml", "--extra", "dev", "--extra", "clients")
# Each lock file and what it is compiled from. Locks are for every supported Python and system at once.
SOURCES: dict[str, tuple[str, ...]] = {
    "runtime.txt": ("pyproject.toml",),
    "dev.txt": (*_DEVELOPERS, "--constraints", "packaging/lock/runtime.txt"),
    "instructor.txt": ("packaging/lock/instructor.in", "--python-version", "3.11"),
    "build.txt": ("packaging/lock/build.in", "--python-version", "3.11"),
    "freeze.txt": (
        "packaging/lock/freeze.in",
        "--python-version",
        "3.11",
        "--constraints",
        "packaging/lock/runtime.txt",
    ),
    "uv.txt": ("packaging/lock/uv.in", "--python-version", "3.11"),
    "model.txt": ("packaging/lock/model.in", "--python-version", "3.11", "--no-deps"),
}
CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".import_linter_cache")


def run(args: list[str]) -> NoReturn:
    """Opens the window."""
    checks.display()
    setup.ensure("runtime", window=True)
    _become(BIN / "inglenook", *args)


def serve(args: list[str]) -> NoReturn:
    """Runs the endpoint alone."""
    setup.ensure("runtime", window=False)
    _become(BIN / "inglenook-serve", *args)


def test(args: list[str]) -> NoReturn:
    """Runs all tests, without a screen."""
    setup.ensure("dev", window=True)
    clients.ensure()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    # A process for each core; more than four would each hold a model in memory for little.
    _become(PYTHON, "-m", "pytest", "-n", "auto", "--maxprocesses", "4", *args)


def bench(args: list[str]) -> NoReturn:
    """Runs the benchmarks, or the ones that are named."""
    setup.ensure("dev", window=True)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    _become(PYTHON, "-m", "tests.bench", *args)


def llama_server(args: list[str]) -> int:
    """Builds llama.cpp's own server, for the benchmarks to measure against."""
    setup.ensure("dev", window=False)
    peer.ensure()
    return 0


def soak(args: list[str]) -> NoReturn:
    """Runs the whole app under a load by chance, for ten minutes or for as many as are named."""
    setup.ensure("dev", window=True)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    _become(PYTHON, "-m", "tests.soak", *args)


def check(args: list[str]) -> int:
    """Runs every linter, also after one has failed, so that one run shows everything to fix."""
    setup.ensure("dev", window=False)
    ruff = BIN / "ruff"
    linters: tuple[tuple[str | Path, ...], ...] = (
        (ruff, "check", "."),
        (ruff, "format", "--check", "."),
        (PYTHON, "-m", "mypy"),
        (BIN / "lint-imports",),
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT / "packaging")}  # lint-imports loads a contract from there
    codes = [subprocess.run([*linter, *args], cwd=ROOT, env=env).returncode for linter in linters]
    return int(any(codes))


def lock(args: list[str]) -> int:
    """Locks again; `--upgrade` in `args` takes the newest versions, else those locked stay where they can."""
    setup.ensure_uv()
    how = ("--universal", "--generate-hashes", "--no-annotate", "--no-header", "--quiet")
    # A cache of its own: from some registries uv takes llama-cpp-python's source anew when it locks, and then forgets
    # the wheel that it had built of it.
    cache = ("--cache-dir", BUILD / "lock-cache")
    for name, source in SOURCES.items():
        command: list[str | Path] = [UV, "pip", "compile", *how, *cache, *source, *args, "--output-file", LOCKS / name]
        code = subprocess.run(command, cwd=ROOT).returncode
        if code != 0:
            return code
        say(f"Locked {shown(LOCKS / name)}")
    return 0


def translations(args: list[str]) -> int:
    """Brings the translations up to the sources; names what is still to be translated, and is 1 then."""
    setup.ensure("dev", window=False)
    words.gather(words.FOLDER)
    words.release(words.FOLDER)
    missing = list(words.unfinished(words.FOLDER))
    for each in missing:
        say(each)
    say(f"{len(missing)} strings are still to be translated, in {shown(words.FOLDER)}")
    return int(bool(missing))


def clean(args: list[str]) -> int:
    """Removes what set-up and the tools made in the checkout. The model and uv's cache stay."""
    for path in (VENV, BUILD, ROOT / "dist", *(ROOT / name for name in CACHES)):
        shutil.rmtree(path, ignore_errors=True)
    return 0


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "run": run,
    "serve": serve,
    "test": test,
    "bench": bench,
    "llama-server": llama_server,
    "soak": soak,
    "check": check,
    "lock": lock,
    "translations": translations,
    "clean": clean,
}


def main(argv: Sequence[str]) -> int:
    """Runs one command. Whatever goes wrong becomes one sentence on stderr and an exit code that is not 0."""
    if not argv or argv[0] not in COMMANDS:
        print(f"Usage: bootstrap {{{','.join(COMMANDS)}}} [ARGS]", file=sys.stderr)
        return 2
    os.chdir(ROOT)
    try:
        return COMMANDS[argv[0]](list(argv[1:]))
    except SetupError as error:
        print(error, file=sys.stderr)
    except KeyboardInterrupt:
        print(f"\nInterrupted: `make {argv[0]}` starts again where it can.", file=sys.stderr)
        return 130
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        print(DISK_FULL.format(log=shown(LOG)) if full else f"Set-up stopped: {error}.", file=sys.stderr)
    return 1


def _become(program: Path, *args: str) -> NoReturn:
    """Replaces this process, so that signals and the exit code are the program's own."""
    sys.stdout.flush()
    os.execv(program, [str(program), *args])

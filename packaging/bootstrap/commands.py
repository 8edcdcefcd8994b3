"""The commands that the Makefile starts, one function each."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from . import build_progress, checks, endpoint_clients, reference_server, setup
from . import translations as translation_files
from .console import say
from .errors import Sentence, SetupError
from .graphics_backend import Builder
from .paths import BIN, BUILD, LOCKS, LOG, PYTHON, ROOT, UV, VENV
from .process import DISK_FULL, shown

_DEVELOPERS = ("pyproject.toml", "--extra", "dev", "--extra", "clients")
# The sources of each lock file. Locks cover all supported Python versions and systems.
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
    """Starts the app with its window."""
    checks.display()
    setup.ensure("runtime", window=True)
    _exec(BIN / "inglenook", *args)


def serve(args: list[str]) -> NoReturn:
    """Starts the API endpoint without a window."""
    setup.ensure("runtime", window=False)
    _exec(BIN / "inglenook-serve", *args)


def test(args: list[str]) -> NoReturn:
    """Runs the tests. They need no screen."""
    setup.ensure("dev", window=True)
    endpoint_clients.ensure()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    # One test process per core, but at most four. Each process loads a model into memory, and more than four processes
    # are hardly faster.
    _exec(PYTHON, "-m", "pytest", "-n", "auto", "--maxprocesses", "4", *args)


def bench(args: list[str]) -> NoReturn:
    """Runs all benchmarks, or those in `args`."""
    setup.ensure("dev", window=True)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    _exec(PYTHON, "-m", "tests.bench", *args)


def llama_server(args: list[str]) -> int:
    """Builds llama.cpp's server. The benchmarks compare its speed with that of the endpoint."""
    setup.ensure("dev", window=False)
    reference_server.ensure()
    return 0


def gpu(args: list[str]) -> int:
    """Builds the library for graphics cards of the kind in `args` or in the environment variable GPU, by default
    Vulkan's. With `--json` the app has started this: progress is printed for it, and the build ends with it."""
    for_app = "--json" in args
    kinds = [arg for arg in args if not arg.startswith("-")]
    chosen = kinds[0] if kinds else os.environ.get("GPU", "")
    if for_app:
        build_progress.end_with_stdin()
    else:
        setup.ensure("runtime", window=False)
    build_progress.lower_priority()
    progress = build_progress.BuildProgress(as_json=for_app)
    library = Builder(progress=progress).ensure("vulkan" if chosen in ("", "auto") else chosen)
    progress.finish(str(library))
    return 0


def soak(args: list[str]) -> NoReturn:
    """Runs the soak test for ten minutes, or for the minutes in `args`."""
    setup.ensure("dev", window=True)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    _exec(PYTHON, "-m", "tests.soak", *args)


def check(args: list[str]) -> int:
    """Runs all linters. After a linter fails, the others still run, so that one call shows every problem."""
    setup.ensure("dev", window=False)
    ruff = BIN / "ruff"
    linters: tuple[tuple[str | Path, ...], ...] = (
        (ruff, "check", "."),
        (ruff, "format", "--check", "."),
        (PYTHON, "-m", "mypy"),
        (BIN / "lint-imports",),
    )
    # lint-imports loads our contract types from the folder packaging
    env = {**os.environ, "PYTHONPATH": str(ROOT / "packaging")}
    codes = [subprocess.run([*linter, *args], cwd=ROOT, env=env).returncode for linter in linters]
    return int(any(codes))


def lock(args: list[str]) -> int:
    """Updates the lock files. With `--upgrade` in `args` all packages are updated to their newest versions, otherwise
    locked versions are kept."""
    setup.ensure_uv()
    options = ("--universal", "--generate-hashes", "--no-annotate", "--no-header", "--quiet")
    # uv gets a separate cache here. With some registries, locking makes uv download the source of llama-cpp-python
    # again. In the usual cache, uv would then discard the wheel that it built from this source.
    cache = ("--cache-dir", BUILD / "lock-cache")
    for name, source in SOURCES.items():
        command: list[str | Path] = [
            UV,
            "pip",
            "compile",
            *options,
            *cache,
            *source,
            *args,
            "--output-file",
            LOCKS / name,
        ]
        code = subprocess.run(command, cwd=ROOT).returncode
        if code != 0:
            return code
        say(f"Locked {shown(LOCKS / name)}")
    return 0


def translations(args: list[str]) -> int:
    """Updates the translation files from the sources. Prints missing translations, and returns 1 if there are any."""
    setup.ensure("dev", window=False)
    translation_files.update(translation_files.FOLDER)
    translation_files.compile_translations(translation_files.FOLDER)
    missing = list(translation_files.unfinished(translation_files.FOLDER))
    for string in missing:
        say(string)
    say(f"{len(missing)} strings are still to be translated, in {shown(translation_files.FOLDER)}")
    return int(bool(missing))


def clean(args: list[str]) -> int:
    """Removes everything that set-up and the development tools created in the checkout. The default model and uv's
    cache are not removed."""
    for path in (VENV, BUILD, ROOT / "dist", *(ROOT / name for name in CACHES)):
        shutil.rmtree(path, ignore_errors=True)
    return 0


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "run": run,
    "serve": serve,
    "test": test,
    "bench": bench,
    "llama-server": llama_server,
    "gpu": gpu,
    "soak": soak,
    "check": check,
    "lock": lock,
    "translations": translations,
    "clean": clean,
}


def main(argv: Sequence[str]) -> int:
    """Runs a command and returns the exit code. Errors are printed to stderr as one sentence."""
    if not argv or argv[0] not in COMMANDS:
        print(f"Usage: bootstrap {{{','.join(COMMANDS)}}} [ARGS]", file=sys.stderr)
        return 2
    os.chdir(ROOT)
    error: SetupError
    try:
        return COMMANDS[argv[0]](list(argv[1:]))
    except SetupError as failure:
        error = failure
    except KeyboardInterrupt:
        print(f"\nInterrupted: `make {argv[0]}` starts again where it can.", file=sys.stderr)
        return 130
    except OSError as failure:
        if failure.errno in (errno.ENOSPC, errno.EDQUOT):
            error = SetupError(Sentence(DISK_FULL, log=shown(LOG)))
        else:
            error = SetupError(f"Set-up stopped: {failure}.")
    print(error, file=sys.stderr)
    if argv[0] == "gpu" and "--json" in argv:
        say(json.dumps(error.report))
    return 1


def _exec(program: Path, *args: str) -> NoReturn:
    """Replaces this process by another program. Signals then reach that program, and its exit code is the exit code of
    the command."""
    sys.stdout.flush()
    os.execv(program, [str(program), *args])

"""The virtual environment in .venv: Python, uv and the locked packages."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from . import build_fingerprint
from .console import CompileProgress, say
from .errors import ChildFailed, SetupError
from .paths import BIN, BUILD, LLAMA_CMAKE, LOCKS, LOG, PYTHON, ROOT, UV, VENV
from .process import run, shown

LLAMA = "llama-cpp-python"
BUILD_CONSTRAINTS: tuple[str | Path, ...] = ("--build-constraints", LOCKS / "build.txt")


def locked_version(lock: Path, name: str) -> str:
    """The version of a package in a lock file. Raises SetupError if it is not listed."""
    match = re.search(rf"^{re.escape(name)}==([^\s;\\]+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    if match is None:
        raise SetupError(f"{shown(lock)} does not name {name}: restore the file from git.")
    return match[1]


def split_lock(text: str) -> tuple[str, str]:
    """Splits the text of a lock file into the entry of llama-cpp-python and all other entries."""
    block = re.search(rf"^{re.escape(LLAMA)}==.*\n(?:[ \t]+--hash=.*\n?)*", text, re.MULTILINE)
    if block is None:
        raise SetupError(f"The lock does not name {LLAMA}: restore the file from git.")
    return block[0], text[: block.start()] + text[block.end() :]


def install(
    *args: str | Path, task: str, env: dict[str, str] | None = None, progress: CompileProgress | None = None
) -> None:
    """Runs `uv pip install` into .venv, first offline. The network is used only if packages are missing in uv's cache.

    Without `--offline` uv may treat cached packages as outdated, and compile llama.cpp again for each new checkout."""
    on_line = progress.line if progress else lambda line: None
    command = (UV, "pip", "install", "--python", PYTHON, *args)
    try:
        run([*command, "--offline"], task, env=env, on_line=on_line)
    except ChildFailed:
        if progress and progress.has_begun:
            raise
        run(command, task, env=env, on_line=on_line)


def cmake_settings(definitions: dict[str, str]) -> list[str]:
    """The options that make uv compile llama-cpp-python with the given CMake definitions."""
    settings = [f"{LLAMA}:cmake.define.{name}={value}" for name, value in definitions.items()]
    return [option for setting in settings for option in ("--config-settings-package", setting)]


def llama_is_installed() -> bool:
    version = locked_version(LOCKS / "runtime.txt", LLAMA)
    return any(VENV.glob(f"lib/python*/site-packages/llama_cpp_python-{version}[.+]*dist-info"))


def ensure_venv(*, trusted: bool) -> bool:
    """Creates .venv, unless there is a usable one. Returns whether .venv was created.

    A .venv is usable if it is `trusted` and its Python runs. `trusted` means that .venv is complete and was made for
    this checkout."""
    if trusted and _output_of(PYTHON, "-c", "import sys; print(*sys.version_info[:2])") == _version_words():
        return False
    say("Recreating the environment in .venv" if VENV.exists() else "Creating the environment in .venv")
    try:
        run([sys.executable, "-m", "venv", "--clear", VENV], "creating the environment in .venv")
    except ChildFailed as failure:
        if "ensurepip" not in failure.output and "No module named venv" not in failure.output:
            raise
        raise SetupError(
            f"{sys.executable} cannot create environments (its venv or ensurepip module is missing): install "
            f"python{sys.version_info[0]}.{sys.version_info[1]}-venv, or name another Python with PYTHON=."
        ) from failure
    return True


def has_uv() -> bool:
    """Whether .venv contains the locked version of uv."""
    return (_output_of(UV, "--version") or "").split()[1:2] == [locked_version(LOCKS / "uv.txt", "uv")]


def ensure_uv() -> None:
    """Installs the locked uv into .venv with pip, which verifies its hash."""
    if has_uv():
        return
    options = ("--disable-pip-version-check", "install", "--no-deps", "--require-hashes")
    run([PYTHON, "-m", "pip", *options, "-r", LOCKS / "uv.txt"], "installing uv")


def install_all_but_llama(lock: Path) -> None:
    """Installs all locked packages except llama-cpp-python. They need no compiler. This runs first, so that most errors
    are reported before the slow compilation."""
    say("Installing the locked packages")
    pruned = BUILD / f"{lock.stem}-wheels.txt"
    pruned.write_text(split_lock(lock.read_text(encoding="utf-8"))[1], encoding="utf-8")
    install("--require-hashes", "-r", pruned, task="installing the locked packages")


def check_wheel(wheel: Path) -> None:
    """Raises SetupError unless the file name of `wheel` is that of llama-cpp-python in the locked version."""
    wanted = locked_version(LOCKS / "runtime.txt", LLAMA)
    if not wheel.is_file():
        raise SetupError(f"There is no file {wheel}: WHEEL names a ready-built wheel of {LLAMA} {wanted}.")
    name, version = [*wheel.name.split("-"), ""][:2]
    # a local version part, such as cu124 in 0.3.36+cu124, describes the build and is ignored
    if name != "llama_cpp_python" or version.partition("+")[0] != wanted:
        raise SetupError(f"{wheel.name} cannot be used: Inglenook is locked to {LLAMA} {wanted}.")


def install_wheel(wheel: Path) -> None:
    """Installs a ready-built wheel of llama-cpp-python. After that, `install_llama` compiles nothing."""
    say(f"Installing {wheel.name}")
    install("--no-deps", "--reinstall", wheel, task=f"installing {wheel.name}")


def install_llama(lock: Path, *, reinstall: bool) -> None:
    """Installs llama-cpp-python, the last locked package that is missing. uv compiles it, or uses a wheel in its cache.

    With `reinstall` an installed llama-cpp-python is replaced."""
    progress = CompileProgress()
    definitions = {"LLAVA_BUILD": "OFF", build_fingerprint.DEFINE: build_fingerprint.native_build_digest()}
    settings = cmake_settings(definitions) + (["--reinstall-package", LLAMA] if reinstall else [])
    include = shlex.quote(f"-DCMAKE_PROJECT_llama_cpp_INCLUDE={LLAMA_CMAKE}")
    env = {"CMAKE_ARGS": f"{include} {os.environ.get('CMAKE_ARGS', '')}".strip()}
    options = ("--require-hashes", *BUILD_CONSTRAINTS, *settings, "-v", "-r", lock)
    try:
        install(*options, task="compiling llama.cpp", env=env, progress=progress)
    finally:
        progress.close()


def install_project() -> None:
    """Installs Inglenook in editable mode."""
    install("--no-deps", *BUILD_CONSTRAINTS, "--editable", ROOT, task="installing Inglenook into .venv")
    for name in ("inglenook", "inglenook-serve"):
        if not (BIN / name).exists():
            raise SetupError(f"{name} was not made in .venv: the reason is in {shown(LOG)}.")


def _version_words() -> str:
    return f"{sys.version_info[0]} {sys.version_info[1]}"


def _output_of(*argv: str | Path) -> str | None:
    """The output of a program; None if it cannot be started or fails."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, cwd=ROOT, stdin=subprocess.DEVNULL)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None

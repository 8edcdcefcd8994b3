"""The first load of a file is tried in a child process, since some files make llama.cpp abort the process that reads
them, and some chat templates fill the memory. A file that passed is remembered, and not tried again."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from engine.errors import LoadCancelled, ModelFileError
from engine.files.private_files import make_private_file, make_private_folder
from engine.library import default_model
from engine.library.fingerprint import fingerprint
from engine.library.load_trial_command import load_trial_command
from engine.library.split_files import read_model, size_of

START_S = 30.0
READ_BYTES_PER_S = 20e6
"""A slow disk; a child that takes longer than it takes to read its file is stopped."""

SPARE_BYTES = 1 << 29
"""What a child may take beside the file itself."""

POLL_S = 0.02

KIND = "probe 2"
"""Another number where a trial looks at more than before: then all files are tried again."""

SAYS = "probe: "
"""How the child's own lines begin; llama.cpp and its abort may write others."""

STAGES = {
    "loading": "llama.cpp cannot load it",
    "spelling": "its vocabulary is damaged",
    "computing": "llama.cpp cannot compute with it",
    "template": "its chat template takes too much memory or time",
}
"""What the child says it is at, and what is wrong with a file where it ends there."""


class LoadTrial:
    """Any thread, one call at a time for each file. `folder` keeps what passed; None keeps nothing."""

    def __init__(self, folder: Path | None, command: Callable[[Path], list[str]] = load_trial_command) -> None:
        self._folder = folder
        self._command = command

    def check(self, path: Path, cancelled: Callable[[], bool]) -> None:
        """Returns where the file can be loaded. Blocks for the header's check, and the first time for the child's
        life. Raises ModelFileError, LoadCancelled."""
        try:
            mark = self._mark(path)
            if mark is not None and mark.exists():
                return
            is_default = _is_default(path)
        except OSError:
            read_model(path)  # says what is wrong with the file
            raise
        if not is_default:
            read_model(path)
            _try(path, self._command(path), cancelled)
        if mark is not None:
            with contextlib.suppress(OSError):  # then it is tried again the next time
                make_private_folder(mark.parent)
                make_private_file(mark)

    def _mark(self, path: Path) -> Path | None:
        """The empty file that says that this one passed."""
        if self._folder is None:
            return None
        return self._folder / fingerprint(path, KIND).hex()


def _is_default(path: Path) -> bool:
    if path.stat().st_size != default_model.SIZE_BYTES:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == default_model.SHA256


def _try(path: Path, command: list[str], cancelled: Callable[[], bool]) -> None:
    size = size_of(path)
    deadline = time.monotonic() + START_S + size / READ_BYTES_PER_S
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"GGML_NO_BACKTRACE": "1"},  # else it starts a debugger before it aborts
        cwd=Path(__file__).parents[2],  # where `engine` lies, wherever we were started
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    try:
        killed = _wait(child, deadline, 2 * size + SPARE_BYTES, cancelled)
        said = _last_line(child)
    finally:
        child.kill()
        child.wait()
        if child.stdout is not None:
            child.stdout.close()
    if said == "good" and child.returncode == 0:
        return
    kind, _, reason = said.partition(" ")
    if kind == "refused":
        raise ModelFileError(path, reason)
    stage = STAGES.get(said, "it cannot be tried")
    raise ModelFileError(path, f"{stage} ({killed or f'the trial ended with {child.returncode}'})")


def _wait(child: subprocess.Popen[bytes], deadline: float, max_bytes: int, cancelled: Callable[[], bool]) -> str:
    """Until the child ends, or must. Why it must, or an empty text."""
    process = psutil.Process(child.pid)
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(POLL_S)
            return ""
        if cancelled():
            raise LoadCancelled
        if time.monotonic() > deadline:
            child.kill()
            return "the trial took too long"
        with contextlib.suppress(psutil.Error):
            if process.memory_info().rss > max_bytes:
                child.kill()
                return "the trial took too much memory"


def _last_line(child: subprocess.Popen[bytes]) -> str:
    """What the ended child said last; it says less than a pipe holds."""
    text = child.stdout.read().decode(errors="replace") if child.stdout is not None else ""
    lines = [line.removeprefix(SAYS) for line in text.splitlines() if line.startswith(SAYS)]
    return lines[-1] if lines else ""

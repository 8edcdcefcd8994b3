"""Runs the load trial: loads a model file in a child process before this process loads it for the first time.

Some files make llama.cpp abort its process, and some chat templates fill the memory. Files that pass the load trial are
remembered and not tried again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from engine.adapter import Adapter
from engine.child_commands import load_trial_command
from engine.errors import AdapterError, EngineError, LoadCancelled, ModelFileError, Reason
from engine.files.private_files import make_private_file, make_private_folder
from engine.library import default_model
from engine.library.adapter_file import check_adapter, check_number
from engine.library.fingerprint import fingerprint
from engine.library.gguf_header import GgufHeader
from engine.library.model_metadata import unusable_reason
from engine.library.split_files import read_model, total_size

START_S = 30.0
READ_BYTES_PER_S = 20e6
"""The speed of a slow disk. The child process is stopped if it takes longer than START_S plus the time to read the file
at this speed."""

SPARE_BYTES = 1 << 29
"""Memory that the child process may use in addition to twice the size of the model."""

POLL_S = 0.02

FINGERPRINT_KIND = "probe 2"
"""The kind of fingerprint by which passed files are remembered.

Increase the number when the load trial checks more than before. All files are then tried again."""

OUTPUT_PREFIX = "probe: "
"""Prefix of the lines that the child process itself writes to stdout. llama.cpp may write other lines."""

STAGES = {
    "loading": "llama.cpp cannot load it",
    "tokenizing": "its vocabulary is damaged",
    "computing": "llama.cpp cannot compute with it",
    "template": "its chat template takes too much memory or time",
}
"""The stages that the child process reports, each with the error to show if the process ends in that stage."""


class LoadTrial:
    """Loads a model file in a child process first, to see whether loading fails or ends the process.

    May be used on any thread, but with only one call at a time for each model file.

    `folder` holds an empty file for each model that passed. With `folder` None nothing is stored."""

    def __init__(self, folder: Path | None, command: Callable[[Path], list[str]] = load_trial_command) -> None:
        self._folder = folder
        self._command = command

    def check(self, path: Path, cancelled: Callable[[], bool], adapters: Sequence[Adapter] = ()) -> None:
        """Returns normally if the file can be loaded with these adapters; otherwise raises ModelFileError,
        AdapterError (for the first adapter that cannot be used), InvalidSettings or LoadCancelled.

        Blocks until the headers are checked and the child process has loaded the files. The included model without
        adapters, and files that passed before, are accepted without a load trial."""
        if adapters:
            check_number(adapters)
            header = read_model(path)
            for adapter in adapters:
                check_adapter(adapter, header)
        try:
            mark = self._mark(path, adapters)
            if mark is not None and mark.exists():
                return
            is_default = not adapters and _is_default(path)
        except OSError:
            read_model(path)  # raises ModelFileError with the reason
            raise
        if not is_default:
            _check_kind(path, read_model(path))
            paths = [adapter.path for adapter in adapters]
            _run_child(path, paths, [*self._command(path), *map(str, paths)], cancelled)
        if mark is not None:
            # If the empty file cannot be created, the model file is tried again the next time.
            with contextlib.suppress(OSError):
                make_private_folder(mark.parent)
                make_private_file(mark)

    def _mark(self, path: Path, adapters: Sequence[Adapter]) -> Path | None:
        """The path of the empty file that exists if the model file passed with the adapters; None if nothing is
        stored."""
        if self._folder is None:
            return None
        kind = " ".join([FINGERPRINT_KIND, *(fingerprint(each.path, FINGERPRINT_KIND).hex() for each in adapters)])
        return self._folder / fingerprint(path, kind).hex()


def _check_kind(path: Path, header: GgufHeader) -> None:
    """Raises ModelFileError for a LoRA adapter. llama.cpp's reason would be that numbers of a model are missing."""
    if header.values.get("general.type") == "adapter":
        raise ModelFileError(path, unusable_reason(header))


def _is_default(path: Path) -> bool:
    if path.stat().st_size != default_model.SIZE_BYTES:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == default_model.SHA256


def _run_child(path: Path, adapters: Sequence[Path], command: list[str], cancelled: Callable[[], bool]) -> None:
    size = total_size(path) + sum(map(total_size, adapters))
    deadline = time.monotonic() + START_S + size / READ_BYTES_PER_S
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"GGML_NO_BACKTRACE": "1"},  # otherwise ggml starts a debugger before it aborts
        cwd=Path(__file__).parents[2],  # so that `engine` can be imported
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    try:
        killed = _wait(child, deadline, 2 * size + SPARE_BYTES, cancelled)
        report = _last_report(child)
    finally:
        child.kill()
        child.wait()
        if child.stdout is not None:
            child.stdout.close()
    if report == "good" and child.returncode == 0:
        return
    raise _error(path, adapters, report, killed or Reason("the trial ended with {code}", code=child.returncode))


def _error(path: Path, adapters: Sequence[Path], report: str, why: str) -> EngineError:
    """Returns the error that follows from the last report of a child process, which ended because of `why`."""
    kind, _, rest = report.partition(" ")
    if kind == "refused":
        return ModelFileError(path, rest)
    index, _, reason = rest.partition(" ")
    if kind == "adapter" and index.isdecimal() and int(index) < len(adapters):
        return AdapterError(adapters[int(index)], reason or Reason(f"{STAGES['loading']} ({{why}})", why=why))
    stage = STAGES.get(report, "the load trial failed")
    return ModelFileError(path, Reason(f"{stage} ({{why}})", why=why))


def _wait(child: subprocess.Popen[bytes], deadline: float, max_bytes: int, cancelled: Callable[[], bool]) -> str:
    """Waits until the child process ends or exceeds a limit.

    Returns why the process was killed, or an empty text if it ended. Raises LoadCancelled."""
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


def _last_report(child: subprocess.Popen[bytes]) -> str:
    """The last line that the child process reported; an empty text if it reported nothing.

    Called after the process has ended. Its whole output is still in the pipe, because it is smaller than the pipe's
    buffer."""
    text = child.stdout.read().decode(errors="replace") if child.stdout is not None else ""
    lines = [line.removeprefix(OUTPUT_PREFIX) for line in text.splitlines() if line.startswith(OUTPUT_PREFIX)]
    return lines[-1] if lines else ""

"""Remembers which libraries for graphics cards work with the drivers of this machine, how fast the cards are, and with
which library a process of the app ended unexpectedly.

Several processes of the app may use the same folder at the same time.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

import psutil

from engine.files.atomic_write import write_atomic
from engine.files.private_files import make_private_folder

_IN_USE = "in-use-"
"""A file with this prefix and a process id holds the marks of the libraries that this process uses. The value of each
is when the process started; if a model has computed something with the library, the boot of the machine follows."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class LibraryRecord:
    """Libraries are identified by their marks (`BackendLibrary.mark`). May be used on any thread, with one call at a
    time. If a file cannot be written, nothing is remembered."""

    def __init__(self, folder: Path | None) -> None:
        """With `folder` None nothing is remembered."""
        self._folder = folder
        self._proven: frozenset[str] = frozenset()
        """The libraries with which this process has computed something."""

    def has_passed(self, mark: str, drivers: str) -> bool:
        """Whether the library was tried with these drivers before, and works (see `driver_mark`)."""
        return self._read("passed.json").get(mark) == drivers

    def add_passed(self, mark: str, drivers: str) -> None:
        self._write("passed.json", self._read("passed.json") | {mark: drivers})

    def speed(self, card: str) -> float:
        """The measured speed of a card, by `Device.key`; 0 if there is none. See `Device.bytes_per_s`."""
        try:
            return float(self._read("speeds.json").get(card, 0))
        except ValueError:
            return 0.0

    def add_speed(self, card: str, bytes_per_s: float) -> None:
        self._write("speeds.json", self._read("speeds.json") | {card: str(bytes_per_s)})

    def crashed(self) -> frozenset[str]:
        """The libraries with which the app has probably crashed. A process that ended without saying so crashed or was
        killed. It is not counted if the machine has stopped, and counts only the second time in a row, if its model had
        computed something with the library."""
        crashed, killed = self._read("crashed.json"), self._read("killed.json")
        ended = [path for path in self._in_use() if not _is_running(path)]
        for mark, value in [entry for path in ended for entry in _read(path).items()]:
            _, has_computed, boot = value.partition(" ")
            if not has_computed or (mark in killed and boot == _boot()):
                crashed[mark] = ""
            elif boot == _boot():
                killed[mark] = ""
        if ended:
            self._write("crashed.json", crashed)
            self._write("killed.json", killed)
        for path in ended:
            with contextlib.suppress(OSError):
                path.unlink()
        return frozenset(crashed)

    def forget_crashes(self) -> None:
        self.crashed()  # also removes the files of processes that have ended
        self._write("crashed.json", {})
        self._write("killed.json", {})

    def set_in_use(self, marks: Iterable[str], proven: Iterable[str] = ()) -> None:
        """Records which libraries this process uses from now on. With none, a crash is not their fault. `proven` are
        those with which the loaded model has computed something."""
        path, started, before = self._own(), _started(os.getpid()), self._proven
        self._proven = frozenset(proven)
        used = {mark: f"{started} {_boot()}" if mark in self._proven else started for mark in marks}
        if path is None:
            return
        if survived := before - self._proven:  # the model that used them was unloaded
            killed = self._read("killed.json")
            if killed.keys() & survived:
                self._write("killed.json", {mark: "" for mark in killed if mark not in survived})
        if used:
            self._write(path.name, used)
        else:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def _own(self) -> Path | None:
        return self._folder / f"{_IN_USE}{os.getpid()}" if self._folder is not None else None

    def _in_use(self) -> list[Path]:
        return sorted(self._folder.glob(f"{_IN_USE}*")) if self._folder is not None else []

    def _read(self, name: str) -> dict[str, str]:
        return _read(self._folder / name) if self._folder is not None else {}

    def _write(self, name: str, values: dict[str, str]) -> None:
        if self._folder is not None:
            with contextlib.suppress(OSError):
                make_private_folder(self._folder)
                write_atomic(self._folder / name, json.dumps(values))


def _read(path: Path) -> dict[str, str]:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return {str(mark): str(value) for mark, value in stored.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _is_running(path: Path) -> bool:
    """Whether the process that wrote the file still runs. Its id may belong to a later process."""
    pid = path.name.removeprefix(_IN_USE)
    started = {value.partition(" ")[0] for value in _read(path).values()}
    return pid.isdecimal() and _started(int(pid)) in (started or {""})


def _started(pid: int) -> str:
    """When a process started; another text than "" only if it runs."""
    try:
        return f"{psutil.Process(pid).create_time():.1f}"
    except (psutil.Error, OverflowError):
        return "ended"


def _boot() -> str:
    """Identifies the time since the machine was started; empty where the system has no such id."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""

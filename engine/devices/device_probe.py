"""Lists the devices in a child process, before this process loads the library of a graphics card for the first time.

A driver may crash or hang when it is first used. Then the library is left out, with a message, until the user tries it
again or it changes.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from engine.child_commands import device_probe_command
from engine.devices.backend_libraries import BackendLibrary
from engine.devices.backend_state import BackendState
from engine.devices.device import Device, without_duplicates
from engine.errors import Reason
from engine.files.atomic_write import write_atomic
from engine.files.private_files import make_private_folder

TIMEOUT_S = 60.0
"""How long the child process may take. Drivers that compile their programs at the first use take some seconds."""

OUTPUT_PREFIX = "devices: "
"""Prefix of the line with the result on the child's stdout. Drivers may write other lines."""

FILE_FORMAT = 1


class DeviceProbe:
    """Tries libraries in a child process each, and remembers the result in `file`. May be used on any thread, with one
    call at a time."""

    def __init__(
        self,
        file: Path | None,
        command: Callable[[BackendLibrary], list[str]] = lambda library: device_probe_command(library.path),
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """With `file` None nothing is remembered."""
        self._file = file
        self._command = command
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._stopped = threading.Event()

    def check(self, libraries: Sequence[BackendLibrary], *, again: bool = False) -> list[BackendState]:
        """Returns the state of each library. Blocks while a child process lists devices, which takes about a second.

        A library that failed before, and has not changed, is not tried unless `again` is set. A card that two libraries
        list belongs to the first one."""
        known = self._read()
        states, records = [], {}
        for library in libraries:
            mark = f"{library.kind} {library.mark}"
            failed = known.get(mark, "")
            skipped = failed and not again
            state = BackendState(library.kind, error=failed) if skipped else self._try(library)
            if state.error:
                records[mark] = str(state.error)
            states.append(state)
        if records != known and not self._stopped.is_set():
            self._write(records)
        return _divided(states)

    def stop(self) -> None:
        """Ends `check` early, and makes later calls return at once. May be called on any thread."""
        with self._lock:
            self._stopped.set()
            if self._child is not None:
                self._child.kill()

    def _try(self, library: BackendLibrary) -> BackendState:
        try:
            with self._lock:
                if self._stopped.is_set():
                    return BackendState(library.kind)
                child = self._child = self._start(library)
            with child:
                try:
                    output, _ = child.communicate(timeout=self._timeout_s)
                except subprocess.TimeoutExpired:
                    child.kill()
                    reason = Reason("the driver did not answer for {seconds} s", seconds=round(self._timeout_s))
                    return BackendState(library.kind, error=reason)
        except OSError as error:
            return BackendState(library.kind, error=Reason("it cannot be tried ({why})", why=error.strerror or ""))
        finally:
            self._child = None
        if self._stopped.is_set():
            return BackendState(library.kind)
        return _read_report(library.kind, child.returncode, output)

    def _start(self, library: BackendLibrary) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command(library),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"GGML_NO_BACKTRACE": "1"},  # otherwise ggml starts a debugger before it aborts
            cwd=Path(__file__).parents[2],  # so that `engine` can be imported
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )

    def _read(self) -> dict[str, str]:
        """The reasons of libraries that failed, by their marks."""
        if self._file is None:
            return {}
        try:
            stored = json.loads(self._file.read_text(encoding="utf-8"))
            if stored["format"] != FILE_FORMAT:
                return {}
            return {str(mark): str(reason) for mark, reason in stored["failed"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def _write(self, failed: dict[str, str]) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):  # then the library is tried again at the next start
                make_private_folder(self._file.parent)
                write_atomic(self._file, json.dumps({"format": FILE_FORMAT, "failed": failed}))


def _read_report(kind: str, returncode: int, output: bytes) -> BackendState:
    lines = output.decode(errors="replace").splitlines()
    reports = [line.removeprefix(OUTPUT_PREFIX) for line in lines if line.startswith(OUTPUT_PREFIX)]
    if returncode != 0 or not reports:
        return BackendState(kind, error=Reason("the driver ended its process ({code})", code=returncode))
    try:
        report = json.loads(reports[-1])
        if report.get("error"):
            return BackendState(kind, error=str(report["error"]))
        return BackendState(kind, tuple(Device.from_json(each) for each in report["devices"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return BackendState(kind, error=Reason("the devices could not be read"))


def _divided(states: list[BackendState]) -> list[BackendState]:
    """Gives each card to the first library that lists it."""
    kept = {id(device) for device in without_duplicates([device for state in states for device in state.devices])}
    return [
        BackendState(state.kind, tuple(each for each in state.devices if id(each) in kept), state.error)
        for state in states
    ]

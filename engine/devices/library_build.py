"""Builds a library for graphics cards beside the running app, in a child process of low priority."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from engine.devices.backend_libraries import file_name
from engine.devices.card_detection import Cards, wanted_kind
from engine.devices.library_folders import built_folder, checkout_folder, library_folders
from engine.errors import Reason

MAX_ERROR_CHARS = 500


def build_command(kind: str) -> list[str]:
    """The command line that builds a library, to be run in the checkout. It ends when its stdin is closed."""
    return [sys.executable, "-m", "bootstrap", "gpu", kind, "--json"]


def kind_to_build(cards: Cards, choice: str | None = None) -> str:
    """The kind of library to build now: that of `wanted_kind`, if this program runs from a checkout on Linux and the
    library is not there yet; else empty."""
    kind = wanted_kind(cards, choice)
    if not kind or built_folder() is None or not sys.platform.startswith("linux"):
        return ""
    is_there = any((folder / file_name(kind)).is_file() for folder in library_folders())
    return "" if is_there else kind


class LibraryBuild:
    """One build. The attributes are written on a thread of this class, before each call of `on_change`, and may be read
    on any thread."""

    def __init__(
        self,
        kind: str,
        on_change: Callable[[], None] = lambda: None,
        command: Sequence[str] | None = None,
        checkout: Path | None = None,
    ) -> None:
        """`on_change` is called on a thread of this class, at most about once a second."""
        self.kind = kind
        self.progress = 0.0
        """From 0 to 1. It is 1 only if the build succeeded."""
        self.is_done = False
        """Whether the build has ended, in whatever way."""
        self.error: str | Reason = ""
        """Why the build failed; empty if it did not, or was stopped."""
        self.library: Path | None = None
        """The library, after the build succeeded."""
        self._on_change = on_change
        self._command = list(command or build_command(kind))
        self._checkout = checkout or checkout_folder()
        self._child: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._follow, name="graphics library build", daemon=True)
        self._is_stopped = False
        self._reported: str | Reason = ""

    def start(self) -> None:
        """Starts the build. Returns at once; call it once."""
        if self._is_stopped:
            self._end("")
            return
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        try:
            self._child = subprocess.Popen(
                self._command,
                cwd=self._checkout,
                env=environment | {"PYTHONPATH": "packaging"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                # A group, so that compilers end with it, but no session: Linux weighs the priority of processes within
                # a session only.
                process_group=0,
            )
        except OSError as error:
            self._end(Reason("the build cannot be started ({why})", why=error.strerror or ""))
            return
        self._thread.start()

    def stop(self) -> None:
        """Ends the build with all its processes. A later build continues where this one stopped. May be called on any
        thread, at any time, more than once."""
        self._is_stopped = True
        child = self._child
        if child is None or self.is_done:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _follow(self) -> None:
        child = self._child
        assert child is not None
        assert child.stdout is not None
        assert child.stderr is not None
        for line in child.stdout:
            self._read(line)
        text = child.stderr.read()
        code = child.wait()
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()
        if self._is_stopped:
            self._end("")
        elif code != 0 or self.library is None:
            lines = text.strip().splitlines()
            last = lines[-1][:MAX_ERROR_CHARS] if lines else Reason("the build ended ({code})", code=code)
            self._end(self._reported or last)
        else:
            self.progress = 1.0
            self._end("")

    def _read(self, line: str) -> None:
        """Reads a line of the child: `{"percent": 12}`, at the end `{"library": "/path"}`, or `{"error": "A template.",
        "values": {}}`. Others are ignored."""
        try:
            report = json.loads(line)
            if "percent" in report:
                self.progress = min(0.99, max(self.progress, float(report["percent"]) / 100))
                self._on_change()
            if "library" in report:
                self.library = Path(report["library"])
            if "error" in report:
                self._reported = Reason(str(report["error"])[:MAX_ERROR_CHARS], **report["values"])
        except (ValueError, TypeError, KeyError, IndexError):
            return

    def _end(self, error: str | Reason) -> None:
        self.error = error
        self.is_done = True
        self._on_change()

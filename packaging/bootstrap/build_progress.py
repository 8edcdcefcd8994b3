"""The progress of a build that runs for a long time: lines for people, or lines of JSON for the app."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable

from .console import NINJA, say

FIRST_PERCENT = 5
"""The percent at which compiling begins; before that, tools are fetched."""


class BuildProgress:
    """Prints a line when the percentage rises: every percent as JSON, every tenth for people."""

    def __init__(self, *, as_json: bool = False, write: Callable[[str], None] = say) -> None:
        self._as_json = as_json
        self._write = write
        self._shown = -1
        self._total = 0

    def line(self, text: str) -> None:
        """Processes a line of ninja's output, such as "[26/83] Building ...".

        A step may run a ninja of its own, whose lines have a smaller total. They are ignored."""
        match = NINJA.match(text)
        if match is None or int(match[2]) < self._total:
            return
        done, self._total = int(match[1]), max(1, int(match[2]))
        self.report(FIRST_PERCENT + done * (99 - FIRST_PERCENT) // self._total)

    def report(self, percent: int) -> None:
        if percent <= self._shown:
            return
        is_tenth = percent // 10 > self._shown // 10
        self._shown = percent
        if self._as_json:
            self._write(json.dumps({"percent": percent}))
        elif is_tenth:
            self._write(f"Compiling for graphics cards, {percent} %")

    def finish(self, library: str) -> None:
        self._write(json.dumps({"library": library}) if self._as_json else f"The library is {library}")


def end_with_stdin() -> None:
    """Ends this process and those that it started when stdin is closed: when the app ends, in whatever way, its end of
    the pipe closes. This process must lead its process group."""

    def wait() -> None:
        while os.read(0, 1):  # without the lock of sys.stdin, which Python takes when it ends
            pass
        if os.getpgrp() == os.getpid():
            os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=wait, name="wait for the app", daemon=True).start()


def lower_priority() -> None:
    """Gives this process and those that it starts the lowest priority for the processor and, where Linux offers it, the
    disk."""
    os.nice(19)
    try:
        import ctypes

        # ioprio_set(IOPRIO_WHO_PROCESS, this process, IOPRIO_CLASS_IDLE)
        number = {"x86_64": 251, "aarch64": 30}.get(os.uname().machine)
        if sys.platform.startswith("linux") and number is not None:
            ctypes.CDLL(None).syscall(number, 1, 0, 3 << 13)
    except (OSError, AttributeError):
        return

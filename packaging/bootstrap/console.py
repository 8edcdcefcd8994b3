"""Console output of set-up: one line per step, and a progress display while llama.cpp compiles."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable

# Matches progress lines of ninja in the output of `uv -v`, such as "DEBUG [26/83] /usr/bin/g++ ...".
NINJA = re.compile(r"^(?:DEBUG )?\[(\d+)/(\d+)\] ")


def say(text: str) -> None:
    print(text, flush=True)


class CompileProgress:
    """Shows the progress of a compilation from ninja's output. On a terminal one line is updated; elsewhere a new line
    is printed for every 10 %."""

    def __init__(
        self,
        *,
        on_terminal: bool | None = None,
        clock_s: Callable[[], float] = time.monotonic,
        write: Callable[[str], object] | None = None,
    ) -> None:
        self._on_terminal = sys.stdout.isatty() if on_terminal is None else on_terminal
        self._clock_s = clock_s
        self._write = write or sys.stdout.write
        self._started_s: float | None = None
        self._tenth = -1

    @property
    def has_begun(self) -> bool:
        """Whether the compiler was started. With a wheel in uv's cache nothing is compiled."""
        return self._started_s is not None

    def line(self, text: str) -> None:
        """Processes one line of the build's output."""
        match = NINJA.match(text)
        if match is None:
            return
        done, total = int(match[1]), int(match[2])
        if self._started_s is None:
            self._started_s = self._clock_s()
            self._write("Compiling llama.cpp for this machine; this happens once.\n")
        if self._on_terminal:
            self._write(f"\r\x1b[K{self._sentence(done, total)}")
        elif done * 10 // total > self._tenth:
            self._tenth = done * 10 // total
            self._write(f"{self._sentence(done, total)}\n")
        sys.stdout.flush()

    def close(self) -> None:
        """Ends the progress line, so that further output starts on a new line."""
        if self._on_terminal and self.has_begun:
            self._write("\n")

    def _sentence(self, done: int, total: int) -> str:
        text = f"Compiling llama.cpp, {done} of {total}"
        spent_s = self._clock_s() - (self._started_s or 0.0)
        # During the first seconds the remaining time cannot be estimated yet.
        if spent_s < 5 or done == total:
            return text
        left_s = spent_s * (total - done) / done
        return f"{text}, about {max(10, round(left_s / 10) * 10)} s left"

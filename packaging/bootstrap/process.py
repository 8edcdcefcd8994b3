"""Runs child processes. Their output goes to build/setup.log; a failure is explained in one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from .errors import ChildFailed, Sentence
from .paths import LOG, ROOT

MAX_TAIL_LINES = 400

DISK_FULL = (
    "The disk is full: free some space (set-up needs about 2 GB at first), then start again; the log is in {log}."
)

# The output of uv, pip, apt and compilers is searched for known phrases that show the cause of a failure. More specific
# phrases are listed before general ones.
CAUSES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("no space left on device", "disk quota exceeded"), DISK_FULL),
    (
        ("hash mismatch", "do not match the hashes"),
        "A package that was downloaded is not the one that is locked, so it was not installed: start again, and if it "
        "happens again look at {log}.",
    ),
    (
        ("killed signal terminated program", "virtual memory exhausted", "out of memory"),
        "Compiling llama.cpp ran out of memory: close other programs and start again, or name a ready-built wheel with "
        "WHEEL=; the log is in {log}.",
    ),
)
NETWORK_PHRASES = (
    "dns error",
    "error sending request",
    "failed to lookup address",
    "name resolution",
    "network is unreachable",
    "connection refused",
    "connection reset",
    "failed to fetch",
    "could not resolve",
    "operation timed out",
    "max retries exceeded",
    "(from versions: none)",
)
NO_NETWORK = "The packages could not be fetched: check the network connection, then start again; the log is in {log}."


def shown(path: Path) -> str:
    """A path as shown to the user: relative to the checkout if it is in the checkout, otherwise absolute."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def start_log() -> None:
    """Starts a new log file. Called once per set-up."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    LOG.write_text(f"Python {sys.version}\n{ROOT}\n", encoding="utf-8")


def run(
    argv: Sequence[str | Path],
    task: str,
    *,
    env: dict[str, str] | None = None,
    on_line: Callable[[str], None] = lambda line: None,
) -> None:
    """Runs `argv` in the checkout and waits. `task` completes the sentence "Set-up stopped while ...".

    Raises ChildFailed if the exit code is not 0.
    """
    command = [str(part) for part in argv]
    tail: deque[str] = deque(maxlen=MAX_TAIL_LINES)
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"\n$ {' '.join(command)}\n")
        log.flush()
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as child:
            assert child.stdout is not None
            for line in child.stdout:
                log.write(line)
                tail.append(line)
                on_line(line)
    if child.returncode != 0:
        output = "".join(tail)
        raise ChildFailed(explain(output, task), child.returncode, output)


def explain(output: str, task: str) -> Sentence:
    """One sentence that explains the output of a failed child process."""
    text = output.lower()
    for phrases, sentence in CAUSES:
        if any(phrase in text for phrase in phrases):
            return Sentence(sentence, log=shown(LOG))
    # `uv -v` also logs failures that were repaired by a retry. Debug and trace lines are therefore ignored.
    closing = "\n".join(line for line in text.splitlines() if not line.startswith(("debug", "trace")))
    if any(phrase in closing for phrase in NETWORK_PHRASES):
        return Sentence(NO_NETWORK, log=shown(LOG))
    return Sentence("Set-up stopped while {task}: the reason is at the end of {log}.", task=task, log=shown(LOG))

"""`store.kill9`: the number of databases that are damaged if the app is killed at random moments while answers stream.

`store.kill9_gone_ms`: the age of the oldest text that a kill lost. The age is the time from showing the text to the
kill. The figure is the maximum over all kills."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path

from desktop.store.records import ChatMessage
from desktop.store.store import Store
from tests.bench.figure import Figure
from tests.bench.killed_chat import KINDS, stream_until_killed

N_KILLS = 200
MAX_DELAY_S = 1.2
"""The longest time from the first text of an answer to the kill, in seconds."""

MAX_LOST_AGE_MS = 250.0

Shown = list[tuple[float, dict[str, int]]]


def measure(n_kills: int = N_KILLS) -> tuple[Figure, Figure]:
    rng = random.Random(9)
    n_damaged, ages_ms, pipe_delays_s = 0, [], [0.0]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.bench.killed_chat"])
    for number in range(n_kills):
        with tempfile.TemporaryDirectory() as folder:
            kind = KINDS[number % len(KINDS)]
            shown, killed_s, delay_s = stream_and_kill(context, folder, kind, rng.uniform(0.0, MAX_DELAY_S))
            pipe_delays_s.append(delay_s)
            path = Path(folder) / "chats.sqlite3"
            if not _is_intact(path):
                n_damaged += 1
                continue
            ages_ms.append(1000 * lost_age_s(shown, killed_s, asyncio.run(read(path))))
    pipe_ms = 1000 * statistics.median(pipe_delays_s)
    kinds = f"{n_kills} kills: {', '.join(KINDS)}"
    against = f"{kinds}; median {statistics.median(ages_ms):.0f} ms; the pipe's own delay {pipe_ms:.1f} ms"
    return (
        Figure("store.kill9", n_damaged, 0, "files", kinds),
        Figure("store.kill9_gone_ms", max(ages_ms), MAX_LOST_AGE_MS, "ms", against),
    )


def stream_and_kill(
    context: multiprocessing.context.ForkServerContext, folder: str, kind: str, after_s: float
) -> tuple[Shown, float, float]:
    """Streams an answer in a child process, and kills the process.

    Returns the child's reports of what was shown, the time of the kill (monotonic clock), and the longest delay of a
    report in the pipe, in seconds."""
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=stream_until_killed, args=(folder, kind, theirs))
    child.start()
    theirs.close()
    shown: Shown = []
    delay_s = _receive_until(ours, shown, None)
    delay_s = max(delay_s, _receive_until(ours, shown, time.monotonic() + after_s))
    killed_s = time.monotonic()
    child.kill()
    child.join()
    _receive_until(ours, shown, time.monotonic() + 60)
    ours.close()
    return shown, killed_s, delay_s


def _receive_until(reports: Connection, shown: Shown, until_s: float | None) -> float:
    """Receives reports until the time `until_s`; if it is None, until the first text. Ends early if the pipe is closed.

    Returns the longest delay of a report in the pipe, in seconds."""
    delay_s = 0.0
    while True:
        left_s = 60.0 if until_s is None else until_s - time.monotonic()
        if left_s <= 0 or not reports.poll(left_s):
            return delay_s
        try:
            shown.append(reports.recv())
        except (EOFError, OSError):
            return delay_s
        delay_s = max(delay_s, time.monotonic() - shown[-1][0])
        if until_s is None and any(shown[-1][1].values()):
            return delay_s


def _is_intact(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as file:
        return bool(file.execute("PRAGMA integrity_check").fetchone() == ("ok",))


async def read(path: Path) -> list[ChatMessage]:
    store = Store(path)
    notice = await store.open()
    messages = [message for chat in await store.chats() for message in await store.messages(chat.id)]
    await store.aclose()
    assert notice is None
    assert messages, "the user message is lost"
    assert messages[0].text == "Go on and on"
    return messages


def lost_age_s(shown: Shown, killed_s: float, kept: list[ChatMessage]) -> float:
    """The seconds from showing the oldest lost character to the kill; 0 if nothing is lost."""
    n_kept = {message.id: len(message.text) + len(message.reasoning) for message in kept}
    lost = [killed_s - at_s for at_s, seen in shown for message_id, n in seen.items() if n > n_kept.get(message_id, 0)]
    return max(lost, default=0.0)

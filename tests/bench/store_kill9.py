"""`store.kill9`: databases that are not sound after `kill -9` at random moments of streaming answers.
`store.kill9_gone_ms`: how old the oldest word was that such a kill took, at most."""

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
from tests.bench.dying_chat import KINDS, die
from tests.bench.figure import Figure

N_KILLS = 200
LATEST_S = 1.2
"""After the first word."""

MOST_MS = 250.0

Shown = list[tuple[float, dict[str, int]]]


def measure(n_kills: int = N_KILLS) -> tuple[Figure, Figure]:
    drawn = random.Random(9)
    unsound, gone, delays = 0, [], [0.0]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.bench.dying_chat"])
    for number in range(n_kills):
        with tempfile.TemporaryDirectory() as folder:
            kind = KINDS[number % len(KINDS)]
            shown, killed_s, delay_s = killed(context, folder, kind, drawn.uniform(0.0, LATEST_S))
            delays.append(delay_s)
            path = Path(folder) / "chats.sqlite3"
            if not _is_sound(path):
                unsound += 1
                continue
            gone.append(1000 * gone_s(shown, killed_s, asyncio.run(read(path))))
    pipe_ms = 1000 * statistics.median(delays)
    kinds = f"{n_kills} kills: {', '.join(KINDS)}"
    against = f"{kinds}; median {statistics.median(gone):.0f} ms; the pipe's own delay {pipe_ms:.1f} ms"
    return (
        Figure("store.kill9", unsound, 0, "files", kinds),
        Figure("store.kill9_gone_ms", max(gone), MOST_MS, "ms", against),
    )


def killed(
    context: multiprocessing.context.ForkServerContext, folder: str, kind: str, after_s: float
) -> tuple[Shown, float, float]:
    """What was shown, when the process was killed, and how long the pipe took at most, by the system's clock."""
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=die, args=(folder, kind, theirs))
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


def _receive_until(told: Connection, shown: Shown, until_s: float | None) -> float:
    """Until that moment, or the first words; or until nobody is there to tell more. The longest delay of the pipe."""
    delay_s = 0.0
    while True:
        left_s = 60.0 if until_s is None else until_s - time.monotonic()
        if left_s <= 0 or not told.poll(left_s):
            return delay_s
        try:
            shown.append(told.recv())
        except (EOFError, OSError):
            return delay_s
        delay_s = max(delay_s, time.monotonic() - shown[-1][0])
        if until_s is None and any(shown[-1][1].values()):
            return delay_s


def _is_sound(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as file:
        return bool(file.execute("PRAGMA integrity_check").fetchone() == ("ok",))


async def read(path: Path) -> list[ChatMessage]:
    store = Store(path)
    notice = await store.open()
    messages = [message for chat in await store.chats() for message in await store.messages(chat.id)]
    await store.aclose()
    assert notice is None
    assert messages, "the question is gone"
    assert messages[0].text == "Go on and on"
    return messages


def gone_s(shown: Shown, killed_s: float, kept: list[ChatMessage]) -> float:
    """For how long the first letter that is gone had been seen; 0 where none is."""
    letters = {message.id: len(message.text) + len(message.reasoning) for message in kept}
    lost = [killed_s - at_s for at_s, seen in shown for message_id, n in seen.items() if n > letters.get(message_id, 0)]
    return max(lost, default=0.0)

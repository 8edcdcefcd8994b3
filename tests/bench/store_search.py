"""`store.search`: the time of a search in 100,000 messages of 80 words each. A search runs after each typed
character."""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from pathlib import Path

from desktop.store.records import Chat, ChatMessage
from desktop.store.search import ChatSearch
from desktop.store.store import Store
from tests.bench.figure import Figure

N_CHATS, N_MESSAGES, N_WORDS = 5_000, 20, 80
N_VOCABULARY = 20_000
N_RUNS = 5


def measure() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        waits = asyncio.run(_measure(Path(folder) / "chats.db"))
    worst = max(waits, key=lambda typed: waits[typed])
    all_waits = sorted(waits.values())
    against = (
        f"character by character, the slowest (“{worst}”) of {len(waits)}, median of {N_RUNS}; "
        f"half take less than {statistics.median(all_waits):.1f} ms"
    )
    return Figure("store.search", waits[worst], 50.0, "ms", against)


async def _measure(path: Path) -> dict[str, float]:
    """For each typed text, the median time of a search in milliseconds."""
    words = _words()
    store, search = Store(path), ChatSearch(path)
    await store.open()
    await _fill(store, words)
    waits: dict[str, list[float]] = {}
    typed = [words[0], words[40], words[900], words[-1], f"{words[1]} {words[2]}", f"{words[5]} {words[3_000]}"]
    for _ in range(N_RUNS):
        for text in typed:
            for end in range(1, len(text) + 1):
                started = time.perf_counter()
                assert await search.find(text[:end]) is not None
                waits.setdefault(text[:end], []).append(1000 * (time.perf_counter() - started))
    await search.aclose()
    await store.aclose()
    return {text: statistics.median(each) for text, each in waits.items()}


def _words() -> list[str]:
    """Artificial words, the most frequent first."""
    rng = random.Random(4645)
    letters = ("bcdfghklmnprstvw", "aeiou")
    return ["".join(rng.choice(letters[n % 2]) for n in range(rng.randint(2, 9))) for _ in range(N_VOCABULARY)]


async def _fill(store: Store, words: list[str]) -> None:
    rng = random.Random(6_4645)
    # like in natural language, word frequencies follow Zipf's law
    weights = [1 / (rank + 2) for rank in range(len(words))]
    for number in range(N_CHATS):
        chat = Chat(f"c{number}", " ".join(rng.choices(words, weights, k=5)), number, number)
        rows = [
            ChatMessage(
                f"{chat.id}-{n}",
                chat.id,
                f"{chat.id}-{n - 1}" if n else None,
                "user" if n % 2 == 0 else "assistant",
                " ".join(rng.choices(words, weights, k=N_WORDS)),
                "complete",
                float(number),
            )
            for n in range(N_MESSAGES)
        ]
        await store.save(chat, rows)

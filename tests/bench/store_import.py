"""`store.import` and `store.import_stall`: importing a ChatGPT export of 5,000 chats while the event loop runs.

A separate process reads the export. For comparison, the stall of the event loop is also measured while only this
process runs. Its output is then discarded."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path

from PySide6.QtWidgets import QApplication

from desktop.app import create_loop
from desktop.import_export.importer import Importer
from desktop.import_export.reader_process import reader_command
from desktop.platform.gui_gc import GarbageCollector
from desktop.store.store import Store
from tests.bench.figure import Figure

N_CHATS, N_MESSAGES, N_WORDS = 5_000, 12, 60


def measure() -> tuple[Figure, Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export = _export(folder)
        application = QApplication([])
        collector = GarbageCollector()  # the app uses the same settings for garbage collection
        with asyncio.Runner(loop_factory=lambda: create_loop(application)) as runner:
            took_s, stall_s, alone_s = runner.run(_measure(folder, export))
        collector.close()
    size = f"{N_CHATS} chats of {N_MESSAGES} messages"
    return (
        Figure("store.import", took_s, 60.0, "s", size),
        Figure(
            "store.import_stall",
            1000 * max(0.0, stall_s - alone_s),
            33.0,
            "ms",
            f"longest turn of the loop {1000 * stall_s:.1f} ms, beside the reader alone {1000 * alone_s:.1f} ms",
        ),
    )


async def _measure(folder: Path, export: Path) -> tuple[float, float, float]:
    async def drain() -> None:
        with (folder / "drained").open("wb") as sink:
            await asyncio.to_thread(subprocess.run, reader_command(export), stdout=sink, check=True)

    alone_s = await _longest_turn(drain())
    store = Store(folder / "chats.db")
    await store.open()
    started = time.perf_counter()
    stall_s = await _longest_turn(Importer(store, lambda _: None).run(export))
    took_s = time.perf_counter() - started
    assert len(await store.chats()) == N_CHATS
    await store.aclose()
    return took_s, stall_s, alone_s


async def _longest_turn(work: Awaitable[object]) -> float:
    """Runs `work`. Returns the longest time between two iterations of the event loop meanwhile, in seconds."""
    done = asyncio.ensure_future(work)
    longest = 0.0
    before = time.perf_counter()
    while not done.done():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        longest, before = max(longest, now - before - 0.001), now
    await done
    return longest


def _export(folder: Path) -> Path:
    rng = random.Random(4645)
    words = ["".join(rng.choice("aeioubdglmnrst") for _ in range(rng.randint(2, 9))) for _ in range(5_000)]

    def text() -> str:
        return " ".join(rng.choices(words, k=N_WORDS))

    def conversation(number: int) -> dict[str, object]:
        mapping: dict[str, object] = {}
        for n in range(N_MESSAGES):
            message = {
                "author": {"role": "assistant" if n % 2 else "user"},
                "create_time": 1.7e9 + n,
                "content": {"content_type": "text", "parts": [text()]},
            }
            children = [f"{n + 1}"] if n + 1 < N_MESSAGES else []
            mapping[f"{n}"] = {"id": f"{n}", "parent": f"{n - 1}" if n else None, "children": children}
            mapping[f"{n}"] |= {"message": message}  # type: ignore[operator]
        node = f"{N_MESSAGES - 1}"
        return {"title": text()[:40], "conversation_id": f"{number}", "mapping": mapping, "current_node": node}

    path = folder / "conversations.json"
    path.write_text(json.dumps([conversation(number) for number in range(N_CHATS)]))
    return path

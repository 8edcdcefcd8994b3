"""Measures the sidebar's list of chats with 10,000 chats in 20 folders, a tenth of them archived.

The list is opened, scrolled, changed and searched while typing. Each run is a process of its own, without a screen."""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from desktop.store.records import Chat, ChatMessage, Folder
from tests.bench.app_process import ROOT, environment
from tests.bench.figure import Figure, spread

N_CHATS, N_FOLDERS = 10_000, 20
N_RUNS, N_FRAMES, N_CHANGES = 3, 200, 50
HOUR_S = 3_600


def measure() -> tuple[Figure, ...]:
    runs = [_run() for _ in range(N_RUNS)]
    return tuple(
        _figure(runs, name, bound, against)
        for name, bound, against in (
            ("open", 100.0, "laid out and painted for the first time"),
            ("scroll", 16.0, f"99th percentile of {N_FRAMES} frames from top to bottom"),
            ("change", 33.0, f"one chat moves to the top, painted; 99th percentile of {N_CHANGES}"),
            ("archive", 100.0, "3,000 chats at random places archived at once, painted"),
            ("filter", 50.0, "the slowest character of five queries, searched and painted"),
        )
    )


def _figure(runs: list[dict[str, float]], name: str, bound: float, against: str) -> Figure:
    values = [run[name] for run in runs]
    return Figure(f"window.chats_{name}", statistics.median(values), bound, "ms", f"{against}: {spread(values)}")


def _run() -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.chat_list"],
        cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True, timeout=180, check=True,
    )  # fmt: skip
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def _chats() -> dict[str, Chat]:
    rng, now = random.Random(4645), time.time()
    words = [
        "garden",
        "letter",
        "plan",
        "shanty",
        "probe",
        "winter",
        "recipe",
        "kernel",
        "budget",
        "travel",
        "notes",
        "draft",
    ]
    chats = [
        Chat(
            f"c{n}", " ".join(rng.choices(words, k=4)), now - n * HOUR_S, now - n * HOUR_S, pinned=n % 1_000 == 0,
            folder_id=f"f{n % (2 * N_FOLDERS)}" if n % 3 == 0 else "", archived=n % 10 == 9,
        )
        for n in range(N_CHATS)
    ]  # fmt: skip
    return {chat.id: chat for chat in chats}


def _timed_ms(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return 1_000 * (time.perf_counter() - started)


def _p99(values: list[float]) -> float:
    return sorted(values)[max(0, int(len(values) * 0.99) - 1)]


def _measure_in_window() -> dict[str, float]:
    from PySide6.QtWidgets import QApplication

    from desktop.platform.theme import Theme
    from desktop.sidebar.chat_list_model import ChatListModel
    from desktop.sidebar.chat_list_view import ChatListView
    from desktop.sidebar.strings import row_description, section_heading

    application = QApplication([])
    rng, chats_by_id = random.Random(4645), _chats()
    folders = [Folder(f"f{n}", f"Folder {n}", float(n), n % 2 == 1) for n in range(N_FOLDERS)]
    rows, view = (
        ChatListModel(section_heading, description=row_description),
        ChatListView(Theme(application, "light")),
    )
    view.setModel(rows)
    view.resize(232, 500)
    view.show()
    application.processEvents()

    def show() -> None:
        rows.show(chats_by_id.values(), folders)
        view.viewport().repaint()

    def change() -> None:
        chat_id = rng.choice(list(chats_by_id))
        chats_by_id[chat_id] = replace(chats_by_id[chat_id], updated_s=time.time())
        show()

    def scroll(place: int) -> None:
        view.verticalScrollBar().setValue(place)
        view.viewport().repaint()

    result = {"open": _timed_ms(show)}
    bottom = view.verticalScrollBar().maximum()
    places = range(0, bottom, bottom // N_FRAMES)
    result["scroll"] = _p99([_timed_ms(lambda place=place: scroll(place)) for place in places])  # type: ignore[misc]
    result["change"] = _p99([_timed_ms(change) for _ in range(N_CHANGES)])
    for chat_id in rng.sample(list(chats_by_id), 3_000):
        chats_by_id[chat_id] = replace(chats_by_id[chat_id], archived=True)
    result["archive"] = _timed_ms(show)
    with tempfile.TemporaryDirectory() as folder:
        result["filter"] = asyncio.run(_filtered(Path(folder) / "chats.db", chats_by_id))
    return result


async def _filtered(path: Path, chats_by_id: dict[str, Chat]) -> float:
    """The longest time to filter the list after a typed character, in ms."""
    from PySide6.QtWidgets import QApplication

    from desktop.platform.theme import Theme
    from desktop.sidebar.search_controller import SearchResultsModel
    from desktop.sidebar.search_results_view import SearchResultsView
    from desktop.store.search import ChatSearch
    from desktop.store.store import Store

    application = QApplication.instance()
    assert isinstance(application, QApplication)
    store, search, found = Store(path), ChatSearch(path), SearchResultsModel()
    view = SearchResultsView(Theme(application, "light"))
    view.setModel(found)
    view.resize(232, 500)
    view.show()
    await store.open()
    messages_by_chat = [
        (each, [ChatMessage(f"{each.id}-q", each.id, None, "user", each.title, "complete", each.created_s)])
        for each in chats_by_id.values()
    ]
    await store.save_all(messages_by_chat)
    waits = []
    for word in ("garden", "letter", "kernel", "winter", "notes"):
        for end in range(1, len(word) + 1):
            started = time.perf_counter()
            found.show(await search.find(word[:end]) or ())
            view.viewport().repaint()
            waits.append(1_000 * (time.perf_counter() - started))
    await search.aclose()
    await store.aclose()
    return max(waits)


if __name__ == "__main__":
    print(json.dumps(_measure_in_window()))

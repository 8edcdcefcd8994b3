"""Tests that databases of every released schema version can be opened and recovered."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from desktop.store.records import Chat, ChatMessage
from desktop.store.recovery import LAYOUTS, OTHERS
from desktop.store.schema import STEPS
from desktop.store.search import ChatSearch
from desktop.store.store import Store

EVERY = range(1, len(STEPS) + 1)


def file_of_version(path: Path, layout: int) -> sqlite3.Connection:
    file = sqlite3.connect(path, isolation_level=None)
    for number, step in enumerate(STEPS[:layout], start=1):
        file.executescript(f"BEGIN; {step} PRAGMA user_version = {number}; COMMIT;")
    return file


@pytest.mark.parametrize("layout", EVERY)
def test_database_of_every_schema_version_can_be_opened(tmp_path: Path, layout: int) -> None:
    path = tmp_path / "chats.sqlite3"
    with closing(file_of_version(path, layout)) as file:
        file.execute("INSERT INTO chats (id, title, created_s, updated_s) VALUES ('c', 'Shanties', 1.0, 2.0)")
        file.execute(
            "INSERT INTO messages (id, chat_id, role, text, state, created_s) "
            "VALUES ('q', 'c', 'user', 'What is a shanty?', 'complete', 1.0)"
        )

    async def story() -> None:
        store = Store(path)
        assert await store.open() is None
        assert await store.chats() == [Chat("c", "Shanties", 1.0, 2.0)]
        assert await store.messages("c") == [ChatMessage("q", "c", None, "user", "What is a shanty?", "complete", 1.0)]
        search = ChatSearch(path)
        assert await search.find("shanty")
        await search.aclose()
        await store.aclose()

    asyncio.run(story())
    assert path.with_name(f"chats.sqlite3.layout-{layout}").exists() is (layout < len(STEPS))


REBUILT_TABLES = ("message_search", "title_search", "unfinished")
"""Tables that a recovery does not copy but builds anew."""


@pytest.mark.parametrize("layout", EVERY)
def test_column_names_used_by_recovery_match_every_schema_version(tmp_path: Path, layout: int) -> None:
    with closing(file_of_version(tmp_path / "chats.sqlite3", layout)) as file:
        tables = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        kept = [name for name in tables if not name.startswith(REBUILT_TABLES)]
        columns = {name: tuple(row[1] for row in file.execute(f"PRAGMA table_info({name})")) for name in kept}
    for name in ("chats", "messages"):
        there = columns.pop(name)
        assert LAYOUTS[len(there)] == there
    assert columns == {name: OTHERS[name] for name in columns}

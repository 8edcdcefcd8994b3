"""Tests of the store: saving and loading chats, full disks, and database files that are damaged or of a newer
version."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.chat.write_behind_queue import WriteBehindQueue
from desktop.store.errors import StoreDamaged, StoreError, StoreFull, StoreNewer, StoreUnreachable
from desktop.store.records import Chat, ChatMessage
from desktop.store.schema import STEPS, migrate
from desktop.store.store import Store

CHAT = Chat("c", "Sea shanties", 1.0, 2.0)
ASK = ChatMessage("q", "c", None, "user", "What is a shanty?", "complete", 1.0)
REPLY = ChatMessage("a", "c", "q", "assistant", "A song", "streaming", 2.0, "tiny", 12, 3, 4, 0.5, 0.1, "")


async def filled(path: Path) -> Store:
    store = Store(path)
    assert await store.open() is None
    await store.save(CHAT, [ASK, REPLY])
    return store


def test_saved_chats_are_read_after_reopening_the_store(tmp_path: Path) -> None:
    async def story() -> None:
        store = await filled(tmp_path / "chats.sqlite3")
        await store.save(replace(CHAT, title="Shanties", pinned=True, leaf_id="a"), [replace(REPLY, text="A song.")])
        assert await store.chats() == [replace(CHAT, title="Shanties", pinned=True, leaf_id="a")]
        assert await store.messages("c") == [ASK, replace(REPLY, text="A song.")]
        await store.aclose()
        await store.aclose()

    asyncio.run(story())


def test_answer_saved_while_streaming_has_state_cut_after_reopening_the_store(tmp_path: Path) -> None:
    async def story() -> None:
        path = tmp_path / "chats.sqlite3"
        await (await filled(path)).aclose()
        store = Store(path)
        await store.open()
        assert [message.state for message in await store.messages("c")] == ["complete", "cut"]
        await store.aclose()

    asyncio.run(story())


def test_deleted_chat_can_be_restored_until_the_store_is_closed(tmp_path: Path) -> None:
    async def story() -> None:
        path = tmp_path / "chats.sqlite3"
        store = await filled(path)
        await store.delete("c")
        assert await store.chats() == []
        await store.restore("c")
        assert await store.chats() == [CHAT]
        await store.delete("c")
        await store.aclose()
        with closing(sqlite3.connect(path)) as file:
            assert file.execute("SELECT count(*) FROM messages").fetchone() == (0,)

    asyncio.run(story())


@pytest.mark.parametrize("damage", [b"\0" * 8192, b"this is no database at all" * 400, None])
def test_damaged_database_is_renamed_and_replaced(tmp_path: Path, damage: bytes | None) -> None:
    async def story() -> None:
        path = tmp_path / "chats.sqlite3"
        await (await filled(path)).aclose()
        whole = path.read_bytes()
        damaged = damage if damage is not None else whole[: len(whole) // 2]
        path.write_bytes(damaged)
        store = Store(path)
        notice = await store.open()
        assert isinstance(notice, StoreDamaged)
        assert notice.kept_as is not None
        assert notice.kept_as.read_bytes() == damaged
        await store.save(CHAT, [ASK])
        assert (await store.messages("c"))[0] == ASK
        await store.aclose()

    asyncio.run(story())


def test_database_of_a_newer_version_is_not_changed(tmp_path: Path) -> None:
    async def story() -> None:
        path = tmp_path / "chats.sqlite3"
        with closing(sqlite3.connect(path)) as file:
            file.execute("PRAGMA user_version = 99")
        store = Store(path)
        assert isinstance(await store.open(), StoreNewer)
        await store.save(CHAT)
        assert await store.chats() == [CHAT]
        await store.aclose()
        with closing(sqlite3.connect(path)) as file:
            assert file.execute("PRAGMA user_version").fetchone() == (99,)
            assert file.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)

    asyncio.run(story())


def test_chats_are_kept_in_memory_if_the_profile_folder_is_missing(tmp_path: Path) -> None:
    async def story() -> None:
        store = Store(tmp_path / "missing" / "chats.sqlite3")
        assert isinstance(await store.open(), StoreUnreachable)
        await store.save(CHAT)
        assert await store.chats() == [CHAT]
        await store.aclose()

    asyncio.run(story())


def test_database_is_copied_before_a_migration(tmp_path: Path) -> None:
    path = tmp_path / "chats.sqlite3"
    asyncio.run(_close(path))
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        copy = migrate(file, path, (*STEPS, "ALTER TABLE chats ADD COLUMN colour TEXT;"))
        assert file.execute("SELECT title, colour FROM chats").fetchall() == [("Sea shanties", None)]
    assert copy is not None
    with closing(sqlite3.connect(copy)) as old:
        assert old.execute("PRAGMA user_version").fetchone() == (len(STEPS),)
        assert old.execute("SELECT title FROM chats").fetchall() == [("Sea shanties",)]


async def _close(path: Path) -> None:
    await (await filled(path)).aclose()


def test_unsaved_chats_are_saved_when_the_disk_has_space_again(tmp_path: Path) -> None:
    async def story() -> None:
        reported: list[StoreError] = []
        store = await filled(tmp_path / "chats.sqlite3")
        keeper = WriteBehindQueue(store, reported.append, retry_s=0.01)
        await store._call(_limit, store, 12)
        long = replace(REPLY, text="waves " * 20_000)
        await keeper.save(CHAT, long)
        await keeper.save(CHAT, replace(long, state="complete"))
        assert [type(error) for error in reported] == [StoreFull]
        assert (await store.messages("c"))[-1] == REPLY
        await store._call(_limit, store, 1_000_000)
        async with asyncio.timeout(10):  # no further call of `save` is needed
            while (await store.messages("c"))[-1] != replace(long, state="complete"):  # noqa: ASYNC110 -- a file has no event
                await asyncio.sleep(0.01)
        await store._call(_limit, store, 1)
        other = Chat("d", "Other" * 20_000, 3.0, 3.0)
        await keeper.save(other)
        assert [type(error) for error in reported] == [StoreFull] * 2, "reported again after it was full again"
        await store._call(_limit, store, 1_000_000)
        await keeper.aclose()
        assert len(await store.chats()) == 2
        await store.aclose()

    asyncio.run(story())


def _limit(store: Store, n_pages: int) -> None:
    """Limits the size of the database file. At the limit, SQLite raises the error of a full disk."""
    store._sql(f"PRAGMA max_page_count = {n_pages}")

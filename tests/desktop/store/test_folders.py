"""Tests of folders and the archive: in the store, in exports, in backups and in search results."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.chat.write_behind_queue import WriteBehindQueue
from desktop.import_export.backup import stage_restore, write_backup
from desktop.import_export.errors import UnreadableFile
from desktop.import_export.formats import inglenook
from desktop.import_export.importer import Importer, ImportResult
from desktop.import_export.reader import read
from desktop.import_export.records import PortableChat
from desktop.import_export.restore import finish_restore
from desktop.store.errors import StoreError, StoreFull
from desktop.store.records import Chat, ChatMessage, Folder
from desktop.store.schema import STEPS
from desktop.store.search import ChatSearch
from desktop.store.store import Store
from engine.files.profile import Profile
from tests.desktop.import_export import foreign_exports

WORK, HOME = Folder("w", "Work", 1.0), Folder("h", "Home", 2.0, folded=True)
CHAT = Chat("c", "Minutes", 1.0, 2.0, leaf_id="q", folder_id="w")
AWAY = Chat("d", "Old minutes", 1.0, 1.5, True, folder_id="w", archived=True)
ASK = ChatMessage("q", "c", None, "user", "What was said?", "complete", 1.0)


def with_store(path: Path, story: Callable[[Store], Awaitable[None]]) -> None:
    async def run() -> None:
        store = Store(path)
        await store.open()
        try:
            await story(store)
        finally:
            await store.aclose()

    asyncio.run(run())


async def fill(store: Store) -> None:
    await store.save_folders(HOME, WORK)
    await store.save_all([(CHAT, [ASK]), (AWAY, [])])


def test_saved_folders_and_archive_are_read_after_reopening_the_store(tmp_path: Path) -> None:
    async def again(store: Store) -> None:
        assert await store.folders() == [WORK, HOME]
        assert await store.chats() == [CHAT, AWAY]
        await store.save_folders(replace(HOME, name="At home", place=0.5, folded=False))
        assert await store.folders() == [replace(HOME, name="At home", place=0.5, folded=False), WORK]

    with_store(tmp_path / "chats.sqlite3", fill)
    with_store(tmp_path / "chats.sqlite3", again)


def test_deleting_a_folder_keeps_its_chats(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        await fill(store)
        await store.delete("c")
        await store.delete_folder("w")
        await store.restore("c")
        assert await store.folders() == [HOME]
        assert [chat.folder_id for chat in await store.chats()] == ["", ""]
        assert await store.messages("c") == [ASK]

    with_store(tmp_path / "chats.sqlite3", story)


def test_several_chats_are_deleted_and_restored(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        await fill(store)
        await store.delete("c", "d", "never there")
        assert await store.chats() == []
        await store.restore("c", "d")
        assert await store.chats() == [CHAT, AWAY]

    with_store(tmp_path / "chats.sqlite3", story)


def test_database_without_folders_is_copied_and_migrated(tmp_path: Path) -> None:
    path = tmp_path / "chats.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        for number, step in enumerate(STEPS[:3], start=1):
            file.executescript(f"BEGIN; {step} PRAGMA user_version = {number}; COMMIT;")
        file.execute("INSERT INTO chats VALUES ('c', 'Old title', 1.0, 2.0, 1, 'a', NULL, '{}', 'person')")

    async def story(store: Store) -> None:
        assert await store.chats() == [Chat("c", "Old title", 1.0, 2.0, True, "a", titled_by="person")]
        assert await store.folders() == []
        await fill(store)

    with_store(path, story)
    with closing(sqlite3.connect(path.with_name("chats.sqlite3.layout-3"))) as copy:
        assert copy.execute("SELECT title FROM chats").fetchall() == [("Old title",)]


def test_folders_of_a_damaged_database_are_recovered(tmp_path: Path) -> None:
    path = tmp_path / "chats.sqlite3"
    with_store(path, fill)
    with closing(sqlite3.connect(path)) as file:
        [root] = file.execute("SELECT rootpage FROM sqlite_master WHERE name = 'messages_by_parent'").fetchone()
        [size] = file.execute("PRAGMA page_size").fetchone()
    damaged = bytearray(path.read_bytes())
    damaged[(root - 1) * size : root * size] = b"\xaa" * size
    path.write_bytes(damaged)

    async def story(store: Store) -> None:
        assert await store.folders() == [WORK, HOME]
        assert await store.chats() == [CHAT, AWAY]

    with_store(path, story)
    assert list(tmp_path.glob("chats.sqlite3.damaged-*"))


def test_exported_chats_are_imported_into_their_folder(tmp_path: Path) -> None:
    target = tmp_path / "chats.json"
    each = [PortableChat(CHAT, (ASK,), WORK), PortableChat(AWAY, (), WORK)]
    target.write_text(inglenook.document(each))

    async def elsewhere(store: Store) -> None:
        assert (await Importer(store, lambda _: None).run(target)).n_new == 2
        assert await store.folders() == [WORK]
        assert await store.chats() == [CHAT, AWAY]
        await store.save_folders(replace(WORK, name="Renamed"))
        await Importer(store, lambda _: None).run(target)
        assert await store.folders() == [replace(WORK, name="Renamed")], "existing folders are not changed"

    async def where_one_has_its_name(store: Store) -> None:
        mine = Folder("mine", "work", 7.0)
        await store.save_folders(mine)
        await Importer(store, lambda _: None).run(target)
        assert await store.folders() == [mine]
        assert {chat.folder_id for chat in await store.chats()} == {"mine"}

    with_store(tmp_path / "one.sqlite3", elsewhere)
    with_store(tmp_path / "two.sqlite3", where_one_has_its_name)


def test_empty_folders_are_imported(tmp_path: Path) -> None:
    target = tmp_path / "chats.json"
    target.write_text(inglenook.document([PortableChat(CHAT, (ASK,), WORK)], [HOME]))

    async def elsewhere(store: Store) -> None:
        assert await Importer(store, lambda _: None).run(target) == ImportResult(1, 0, 1)
        assert await store.folders() == [WORK, HOME]
        assert await Importer(store, lambda _: None).run(target) == ImportResult(0, 1, 0)
        assert await store.folders() == [WORK, HOME]

    async def where_one_has_its_name(store: Store) -> None:
        mine = Folder("mine", "HOME", 7.0)
        await store.save_folders(mine)
        assert (await Importer(store, lambda _: None).run(target)).n_folders == 0
        assert await store.folders() == [WORK, mine]

    with_store(tmp_path / "one.sqlite3", elsewhere)
    with_store(tmp_path / "two.sqlite3", where_one_has_its_name)


def test_export_without_folder_fields_is_read(tmp_path: Path) -> None:
    document = json.loads(inglenook.document([PortableChat(replace(CHAT, folder_id=""), (ASK,))]))
    del document["folders"]
    for each in document["chats"]:
        del each["folder"], each["chat"]["folder_id"], each["chat"]["archived"]
    (tmp_path / "old.json").write_text(json.dumps(document))
    assert list(read(tmp_path / "old.json")) == [PortableChat(replace(CHAT, folder_id=""), (ASK,))]


def test_exported_chat_with_two_different_folder_ids_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text(inglenook.document([PortableChat(CHAT, (ASK,), HOME)]))
    with pytest.raises(UnreadableFile):
        list(read(tmp_path / "bad.json"))


def test_restored_backup_contains_folders_and_archive(tmp_path: Path) -> None:
    mine, fresh = Profile(tmp_path / "mine").ensure(), Profile(tmp_path / "fresh").ensure()
    with_store(mine.chats, fill)
    write_backup(mine, tmp_path / "all.zip")
    stage_restore(fresh, tmp_path / "all.zip")
    assert finish_restore(fresh.root)

    async def story(store: Store) -> None:
        assert await store.folders() == [WORK, HOME]
        assert await store.chats() == [CHAT, AWAY]

    with_store(fresh.chats, story)


def test_chats_archived_or_pinned_in_another_program_are_imported_with_that_state(tmp_path: Path) -> None:
    (tmp_path / "gpt.json").write_text(json.dumps([{**foreign_exports.CHATGPT[0], "is_archived": True}]))
    (tmp_path / "webui.json").write_text(
        json.dumps([{**foreign_exports.OPEN_WEBUI[0], "archived": True, "pinned": True}])
    )
    [one], [other] = foreign_exports.chats_in(tmp_path / "gpt.json"), foreign_exports.chats_in(tmp_path / "webui.json")
    assert (one.chat.archived, one.chat.pinned) == (True, False)
    assert (other.chat.archived, other.chat.pinned) == (True, True)


def test_search_finds_archived_chats_and_marks_them(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        await fill(store)
        search = ChatSearch(tmp_path / "chats.sqlite3")
        try:
            hits = await search.find("minutes")
        finally:
            await search.aclose()
        assert {(hit.chat_id, hit.archived) for hit in hits or ()} == {("c", False), ("d", True)}

    with_store(tmp_path / "chats.sqlite3", story)


def test_a_thousand_changed_chats_are_saved_in_one_transaction(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        keeper = WriteBehindQueue(store, lambda error: None)
        many = [replace(CHAT, id=f"c{number}", archived=True) for number in range(1_000)]
        done: list[str] = []
        await store._call(_trace, store, done)
        await keeper.save_all(many)
        await keeper.aclose()
        assert len(await store.chats()) == 1_000
        assert done.count("COMMIT") == 1

    with_store(tmp_path / "chats.sqlite3", story)


def test_unsaved_folder_is_saved_when_the_disk_has_space_again(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        await fill(store)
        refused: list[StoreError] = []
        keeper = WriteBehindQueue(store, refused.append, retry_s=0.01)
        long = Folder("l", "Long" * 20_000, 3.0)
        await store._call(_limit, store, 1)
        await keeper.save_folders(long, replace(WORK, folded=True))
        await keeper.save_all([replace(CHAT, folder_id="l")])
        assert [type(error) for error in refused] == [StoreFull]
        await store._call(_limit, store, 1_000_000)
        async with asyncio.timeout(10):
            while await store.folders() != [replace(WORK, folded=True), HOME, long]:  # noqa: ASYNC110 -- a file has no event
                await asyncio.sleep(0.01)
        await keeper.delete_folder("l")
        await keeper.aclose()
        assert (await store.folders())[-1] == HOME
        assert (await store.chats())[0].folder_id == ""

    with_store(tmp_path / "chats.sqlite3", story)


def _limit(store: Store, n_pages: int) -> None:
    """Limits the size of the database file. At the limit, SQLite raises the error of a full disk."""
    store._sql(f"PRAGMA max_page_count = {n_pages}")


def _trace(store: Store, done: list[str]) -> None:
    assert store._connection is not None
    store._connection.set_trace_callback(done.append)

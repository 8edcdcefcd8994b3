"""Tests of erasing deleted chats: no file of the profile contains their text, and their KV snapshots are deleted."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from desktop.import_export.backup import write_backup
from desktop.store.erasure import purge_index
from desktop.store.records import Attachment, Chat, ChatMessage
from desktop.store.schema import STEPS
from desktop.store.store import Store
from engine.files.profile import Profile
from engine.kv_cache import snapshot_file
from engine.kv_cache.snapshot_owners import add_owner, delete_snapshots
from tests.desktop.conftest import OpenGui, Run, until
from tests.desktop.shell.test_main_window import answered, type_and_send
from tests.fakes import Script

SECRETS = (
    b"xyzzyplugh",
    b"xyzzytitle",
    b"xyzzydraft",
    b"xyzzyfile",
    b"xyzzyedited",
    b"xyzzyreason",
    "都庁秘密".encode(),
)


def traces(folder: Path) -> dict[str, list[bytes]]:
    """Returns the secrets found in each file below the folder, by file name. Files without secrets are omitted."""
    found = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: here for name, data in found.items() if (here := [each for each in SECRETS if each in data])}


async def fill(store: Store) -> None:
    for number in range(60):
        chat = Chat(f"k{number}", "keep", 1.0, 1.0)
        text = f"ordinary words {number} " * 40
        await store.save(chat, [ChatMessage(f"m{number}", chat.id, None, "user", text, "complete", 1.0)])
    secret = Chat("s", "Secret xyzzytitle", 1.0, 1.0)
    reported = ChatMessage(
        "sm", "s", None, "user", "the password is xyzzyplugh 都庁秘密", "complete", 1.0, reasoning="xyzzyreason",
        attachments=(Attachment("a.txt", "text", "xyzzyfile " * 2_000),),
    )  # fmt: skip
    await store.save(secret, [reported])
    await store.save(
        Chat("e", "edited", 1.0, 1.0), [ChatMessage("em", "e", None, "user", "xyzzyedited", "complete", 1.0)]
    )
    await store.save_draft("s", "xyzzydraft", [Attachment("b.txt", "text", "xyzzydraft " * 2_000)])


async def deleted(path: Path, forgotten: list[str]) -> None:
    store = Store(path, on_erased=forgotten.extend)
    await store.open()
    await store.delete("s")
    await store.delete_messages(["em"])
    await store.aclose()


async def filled(path: Path) -> None:
    store = Store(path)
    await store.open()
    await fill(store)
    await store.aclose()


def test_text_of_deleted_chats_is_in_no_file_after_the_store_is_closed(tmp_path: Path) -> None:
    path, forgotten = tmp_path / "chats.sqlite3", list[str]()
    asyncio.run(filled(path))
    assert traces(tmp_path)
    asyncio.run(deleted(path, forgotten))
    assert traces(tmp_path) == {}
    assert sorted(forgotten) == ["e", "s"]


def test_deleted_text_is_erased_at_the_next_start_if_the_process_was_killed(tmp_path: Path) -> None:
    async def killed() -> None:
        store = Store(tmp_path / "a" / "chats.sqlite3")
        await store.open()
        await fill(store)
        await store.delete("s")
        await store.delete_messages(["em"])
        # The copied files are those that a process killed at this time leaves.
        shutil.copytree(tmp_path / "a", tmp_path / "b")
        await store.aclose()

    async def opened() -> None:
        store = Store(tmp_path / "b" / "chats.sqlite3")
        await store.open()
        await store.purge_index()
        await store.aclose()

    (tmp_path / "a").mkdir()
    asyncio.run(killed())
    assert traces(tmp_path / "b")
    asyncio.run(opened())
    assert traces(tmp_path / "b") == {}


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from desktop.store.store import Store
from tests.desktop.store.test_erasure import fill

async def run():
    store = Store(Path(sys.argv[1]))
    await store.open()
    if sys.argv[2] == "delete":
        await fill(store)
        await store.delete("s")
        await store.delete_messages(["em"])
    else:
        await store.purge_index()
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(run())
"""


def run_killed(path: Path, work: str) -> None:
    """Runs a process that deletes chats, or starts after that, and is killed before it closes the store."""
    ended = subprocess.run([sys.executable, "-c", KILLED, str(path), work], check=False, capture_output=True, text=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def test_deleted_text_is_in_no_file_if_the_next_process_is_killed_too(tmp_path: Path) -> None:
    run_killed(tmp_path / "chats.sqlite3", "delete")
    assert traces(tmp_path)
    run_killed(tmp_path / "chats.sqlite3", "start")
    assert (tmp_path / "chats.sqlite3-wal").exists(), "the store was closed"
    assert traces(tmp_path) == {}


def test_purge_continues_later_if_another_connection_reads_the_database(tmp_path: Path) -> None:
    path = tmp_path / "chats.sqlite3"
    run_killed(path, "delete")

    async def run() -> None:
        store = Store(path)
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM chats").fetchone()
            await store.open()
            assert not await store._call(store._purge_for, 60.0)
            reader.execute("COMMIT")
        assert await store._call(store._purge_for, 60.0)
        assert traces(tmp_path) == {}
        await store.aclose()

    asyncio.run(run())


def test_deleted_text_is_erased_from_copies_in_the_profile(tmp_path: Path) -> None:
    path = tmp_path / "chats.sqlite3"
    asyncio.run(filled(path))
    (tmp_path / "before-restore-2026-01-01-000000").mkdir()
    shutil.copy(path, tmp_path / "before-restore-2026-01-01-000000")
    shutil.copy(path, tmp_path / "chats.sqlite3.layout-3")
    shutil.copy(path, tmp_path / "chats.sqlite3.damaged-1")
    os.utime(tmp_path / "chats.sqlite3.damaged-1", (0, time.time() - 40 * 86_400))
    asyncio.run(deleted(path, []))
    assert traces(tmp_path) == {}
    with closing(sqlite3.connect(tmp_path / "before-restore-2026-01-01-000000" / "chats.sqlite3")) as file:
        assert file.execute("SELECT count(*) FROM chats").fetchone() == (61,)


def test_recent_damaged_database_file_is_kept_when_a_chat_is_erased(tmp_path: Path) -> None:
    path = tmp_path / "chats.sqlite3"
    asyncio.run(filled(path))
    (tmp_path / "chats.sqlite3.damaged-1").write_bytes(b"x")
    asyncio.run(deleted(path, []))
    assert (tmp_path / "chats.sqlite3.damaged-1").exists()


def test_search_index_of_an_earlier_version_is_purged_of_deleted_text(tmp_path: Path) -> None:
    """Schema version 4 left deleted text in the search index."""
    path = tmp_path / "chats.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        for number, step in enumerate(STEPS[:4], start=1):
            file.executescript(f"{step} PRAGMA user_version = {number};")
        for number in range(50):
            file.execute(
                "INSERT INTO chats (id, title, created_s, updated_s) VALUES (?, 'xyzzytitle', 1, 1)", (number,)
            )
        file.execute("DELETE FROM chats WHERE id <> '3'")
        file.execute("UPDATE chats SET title = 'kept'")
    asyncio.run(filled(path))
    asyncio.run(deleted(path, []))
    assert traces(tmp_path) == {}


def test_backup_contains_no_deleted_text(tmp_path: Path) -> None:
    profile = Profile(tmp_path / "profile").ensure()

    async def run() -> None:
        store = Store(profile.chats)
        await store.open()
        await fill(store)
        await store.delete("s")
        await store.delete_messages(["em"])
        await asyncio.to_thread(write_backup, profile, tmp_path / "backup.zip")
        await store.restore("s")
        assert len(await store.chats()) == 62, "the deletion can still be undone"
        await store.aclose()

    asyncio.run(run())
    with zipfile.ZipFile(tmp_path / "backup.zip") as archive:
        data = archive.read("chats.sqlite3")
    assert [each for each in SECRETS if each in data] == []


def test_purge_of_the_search_index_stops_at_its_deadline_and_continues_later(tmp_path: Path) -> None:
    path = tmp_path / "chats.sqlite3"

    async def written() -> None:
        store = Store(path)
        await store.open()
        for number in range(300):
            words = " ".join(f"w{number * 997 + each:x}" for each in range(400))
            chat = Chat(f"k{number}", "keep", 1.0, 1.0)
            await store.save(chat, [ChatMessage(f"m{number}", chat.id, None, "user", words, "complete", 1.0)])
        await store.delete(*(f"k{number}" for number in range(100)))
        await store._call(store._erase_deleted)
        assert store._connection is not None
        assert not await store._call(purge_index, store._connection, 0.0)
        n_slices = 0
        while not await store._call(purge_index, store._connection, 0.0):
            n_slices += 1
        assert n_slices >= 1
        await store.aclose()

    asyncio.run(written())


def snapshot(folder: Path, tokens: Sequence[int], *owners: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / snapshot_file.file_name(bytes(16), tokens)
    snapshot_file.write(path, bytes(16), tokens, memoryview(b"state"))
    for owner in owners:
        add_owner(path, owner)
    return path


def test_erasing_a_chat_deletes_its_kv_snapshots_and_snapshots_without_owner(tmp_path: Path) -> None:
    mine, shared = snapshot(tmp_path / "s", [1], "a"), snapshot(tmp_path / "s", [2], "a", "b")
    other, tool = snapshot(tmp_path / "s", [3], "b"), snapshot(tmp_path / "s", [4], "editor")
    unknown, nobody = snapshot(tmp_path / "s", [5]), snapshot(tmp_path / "s", [6], "")
    assert delete_snapshots(tmp_path / "s", ["a"]) == 3
    gone = (mine, unknown, nobody)
    assert [path.exists() for path in gone] == [False] * 3
    assert [path.exists() for path in (shared, other, tool)] == [True] * 3
    assert {path.suffix for path in (tmp_path / "s").iterdir()} == {".kv", ".owners"}
    assert len(list((tmp_path / "s").iterdir())) == 6
    assert delete_snapshots(tmp_path / "s", ["b"]) == 2
    assert not shared.exists(), "the last chat with the snapshot was erased"


def test_deleting_kv_snapshots_from_a_missing_folder_does_nothing(tmp_path: Path) -> None:
    assert delete_snapshots(tmp_path / "none", ["a"]) == 0
    add_owner(tmp_path / "none.kv", "a")
    assert not list(tmp_path.iterdir())


def test_chat_deleted_in_the_window_is_in_no_file_after_quitting(run: Run, open_gui: OpenGui, profile: Profile) -> None:
    async def story() -> None:
        async with open_gui(Script(answer=b"The answer is xyzzyreason.")) as gui:
            type_and_send(gui, "xyzzytitle: the password is xyzzyplugh")
            await answered(gui)
            gui.window.chat_page.composer.show_text("xyzzydraft")
            await until(lambda: bool(traces(profile.root)))
            gui.chats.requests.delete_requested.emit((gui.rows[0].chat_id,))
            await until(lambda: not gui.rows)
            gui.window.chat_page.composer.show_text("")
        assert traces(profile.root) == {}

    run(story())


@pytest.mark.parametrize("restored", [True, False])
def test_deleted_chat_is_erased_unless_the_deletion_is_undone(tmp_path: Path, restored: bool) -> None:
    async def run() -> int:
        store = Store(tmp_path / "chats.sqlite3")
        await store.open()
        await fill(store)
        await store.delete("s")
        if restored:
            await store.restore("s")
        await store.aclose()
        await asyncio.to_thread(lambda: None)
        again = Store(tmp_path / "chats.sqlite3")
        await again.open()
        n = len(await again.messages("s"))
        await again.aclose()
        return n

    assert asyncio.run(run()) == (1 if restored else 0)

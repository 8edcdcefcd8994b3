"""Tests that all files of the app are readable only by their owner, even with a umask of 0."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import stat
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from api.__main__ import main as serve
from api.authentication import KEY_VARIABLE, KeyFile, find_key
from api.openai.responses.store import ResponseStore, StoredResponse
from desktop.import_export.backup import stage_restore, write_backup
from desktop.import_export.restore import finish_restore
from desktop.platform.instance_lock import InstanceLock
from desktop.platform.logging_setup import MAX_BYTES, LogFile
from desktop.settings.settings_file import SettingsFile
from desktop.store.records import Attachment, Chat, ChatMessage
from desktop.store.schema import STEPS, migrate
from desktop.store.store import Store
from engine.files.private_files import make_private_folder
from engine.files.profile import Profile
from engine.kv_cache import snapshot_file

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes are of POSIX")


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def readable_by_others(root: Path) -> list[str]:
    paths = [root, *root.rglob("*")]
    return [path.name for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077]


def chats_while_open(profile: Profile) -> list[str]:
    """Writes a chat and a draft. Returns the files that other users could read while the database and its journal are
    open."""

    async def run() -> list[str]:
        store = Store(profile.chats)
        await store.open()
        await store.save(Chat("c", "t", 1.0, 1.0), [ChatMessage("m", "c", None, "user", "x", "complete", 1.0)])
        await store.save_draft("c", "draft", [Attachment("a.txt", "text", "x")])
        assert profile.chats.with_name("chats.sqlite3-wal").exists()
        assert profile.chats.with_name("chats.sqlite3-shm").exists()
        found = readable_by_others(profile.root)
        await store.aclose()
        return found

    return asyncio.run(run())


@pytest.mark.parametrize("exists", [True, False])
def test_profile_is_private_if_api_key_is_set_by_environment_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exists: bool
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "key")
    root = tmp_path / "new" / "profile"
    if exists:
        root.mkdir(parents=True)
    # Because of the invalid origin, the program ends as soon as it has opened the profile.
    assert serve(["--profile", str(root), "--model", str(tmp_path / "m.gguf"), "--origin", "nonsense"]) == 1
    assert readable_by_others(root) == []


def test_database_and_its_copy_before_migration_are_readable_only_by_their_owner(tmp_path: Path) -> None:
    profile = Profile(tmp_path / "profile").ensure()
    assert chats_while_open(profile) == []
    with closing(sqlite3.connect(profile.chats, isolation_level=None)) as file:
        assert migrate(file, profile.chats, (*STEPS, "ALTER TABLE chats ADD COLUMN colour TEXT;")) is not None
    assert readable_by_others(profile.root) == []


def test_damaged_database_and_its_replacement_are_readable_only_by_their_owner(tmp_path: Path) -> None:
    profile = Profile(tmp_path / "profile").ensure()
    profile.chats.write_bytes(b"no database" * 1000)
    profile.ensure()
    assert chats_while_open(profile) == []
    assert readable_by_others(profile.root) == []


def test_files_of_settings_log_and_api_keys_are_readable_only_by_their_owner(tmp_path: Path) -> None:
    profile = Profile(tmp_path / "profile").ensure()
    lock = InstanceLock(profile.root / "window.lock")
    assert lock.acquire()
    SettingsFile(profile.settings).save()
    book = LogFile(profile.root)
    for _ in range(MAX_BYTES // 1000 + 10):  # write enough messages to rotate the log file
        logging.getLogger("desktop").info("x" * 1000)
    book.close()
    KeyFile(profile.named_keys).add("editor")
    find_key(profile, {})
    ResponseStore(profile.responses).put(StoredResponse({"id": f"resp_{'0' * 32}"}, []))
    make_private_folder(profile.snapshots)
    snapshot_file.write(profile.snapshots / "a.kv", bytes(16), [1], memoryview(b"x"))
    lock.release()
    assert (profile.root / "inglenook.log.1").exists()
    assert readable_by_others(profile.root) == []


def test_backup_and_restored_files_are_readable_only_by_their_owner(tmp_path: Path) -> None:
    profile = Profile(tmp_path / "profile").ensure()
    chats_while_open(profile)
    SettingsFile(profile.settings).save()
    write_backup(profile, tmp_path / "backup.zip")
    assert stat.S_IMODE((tmp_path / "backup.zip").stat().st_mode) == 0o600
    stage_restore(profile, tmp_path / "backup.zip")
    assert readable_by_others(profile.root) == []
    assert finish_restore(profile.root)
    assert readable_by_others(profile.root) == []

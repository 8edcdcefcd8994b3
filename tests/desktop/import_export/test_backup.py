"""Tests of backup and restore of the profile: consistency, interruption, damaged backups, files that are no backups."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
import time
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from desktop.import_export.backup import cancel_restore, stage_restore, write_backup
from desktop.import_export.errors import ImportExportError, UnknownFormat, UnreadableFile
from desktop.import_export.restore import ASIDE, STAGED, finish_restore, is_restore_staged
from desktop.store.records import Chat
from desktop.store.store import Store
from engine.files.profile import Profile


def add_chats(profile: Profile, *titles: str) -> list[str]:
    """Adds chats with these titles to the profile and returns the titles of all chats."""

    async def run() -> list[str]:
        store = Store(profile.chats)
        await store.open()
        for title in titles:
            await store.save(Chat(title, title, 1.0, 1.0))
        chats = await store.chats()
        await store.aclose()
        return sorted(chat.title for chat in chats)

    return asyncio.run(run())


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    made = Profile(tmp_path / "profile").ensure()
    add_chats(made, "one", "two")
    made.settings.write_text('{"theme": "dark"}')
    made.endpoint_key.write_text("ink-secret")
    made.responses.mkdir()
    (made.responses / "r1.json").write_text("{}")
    return made


@pytest.fixture
def backup(profile: Profile, tmp_path: Path) -> Path:
    write_backup(profile, tmp_path / "backup.zip")
    return tmp_path / "backup.zip"


def test_restored_profile_equals_the_backed_up_one(profile: Profile, backup: Path, tmp_path: Path) -> None:
    other = Profile(tmp_path / "other").ensure()
    add_chats(other, "three")
    other.settings.write_text('{"theme": "light"}')
    stage_restore(other, backup)
    assert add_chats(other) == ["three"], "nothing is changed before the next start"
    restored = finish_restore(other.root)
    assert add_chats(other) == ["one", "two"]
    assert json.loads(other.settings.read_text()) == {"theme": "dark"}
    assert other.endpoint_key.read_text() == "ink-secret"
    assert (other.responses / "r1.json").is_file()
    (folder,) = other.root.glob(f"{ASIDE}-*")
    assert restored == folder
    aside = Profile(folder)
    assert add_chats(aside) == ["three"]
    assert json.loads(aside.settings.read_text()) == {"theme": "light"}
    assert not finish_restore(other.root)


def test_same_backup_can_be_restored_twice(profile: Profile, backup: Path) -> None:
    for _ in range(2):
        stage_restore(profile, backup)
        assert finish_restore(profile.root)
    assert add_chats(profile) == ["one", "two"]


def test_profile_of_an_earlier_schema_version_is_backed_up(profile: Profile, tmp_path: Path) -> None:
    with closing(sqlite3.connect(profile.chats, isolation_level=None)) as file:
        file.execute("DROP TABLE unfinished")
        file.execute("PRAGMA user_version = 4")
    write_backup(profile, tmp_path / "older.zip")
    stage_restore(profile, tmp_path / "older.zip")


def test_each_restore_moves_the_previous_chats_to_a_new_folder(profile: Profile, backup: Path) -> None:
    for title in ("first", "second", "third"):
        add_chats(profile, title)
        stage_restore(profile, backup)
        assert finish_restore(profile.root)
    kept = [add_chats(Profile(folder)) for folder in profile.root.glob(f"{ASIDE}-*")]
    assert sorted(kept) == [["first", "one", "two"], ["one", "second", "two"], ["one", "third", "two"]]


def test_cancelled_restore_changes_nothing_at_the_next_start(profile: Profile, backup: Path) -> None:
    add_chats(profile, "later")
    stage_restore(profile, backup)
    assert is_restore_staged(profile.root)
    cancel_restore(profile)
    cancel_restore(profile)
    assert not is_restore_staged(profile.root)
    assert not finish_restore(profile.root)
    assert "later" in add_chats(profile)


def test_backup_completes_while_chats_are_saved(profile: Profile, tmp_path: Path) -> None:
    """Saving chats during a backup must not restart the copy of the database."""
    stop = threading.Event()
    with closing(sqlite3.connect(profile.chats, isolation_level=None)) as file:
        file.execute("CREATE TABLE filler (data BLOB)")
        file.execute("INSERT INTO filler VALUES (zeroblob(40000000))")

    def write() -> None:
        with closing(sqlite3.connect(profile.chats, isolation_level=None, timeout=30)) as file:
            while not stop.is_set():
                file.execute("UPDATE chats SET updated_s = updated_s + 1")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        began = time.monotonic()
        write_backup(profile, tmp_path / "backup.zip")
        assert time.monotonic() - began < 20
    finally:
        stop.set()
        writer.join()
    stage_restore(profile, tmp_path / "backup.zip")
    assert finish_restore(profile.root)
    assert add_chats(profile) == ["one", "two"]


def test_interrupted_restore_is_continued_at_the_next_start(
    profile: Profile, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_chats(profile, "later")
    stage_restore(profile, backup)
    rename = Path.rename

    class Killed(BaseException):
        pass

    for allowed in range(6):
        left = [allowed]

        def dying(path: Path, target: Path, left: list[int] = left) -> Path:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return rename(path, target)

        monkeypatch.setattr(Path, "rename", dying)
        try:
            finish_restore(profile.root)
        except Killed:
            continue
        break
    monkeypatch.undo()
    finish_restore(profile.root)
    assert add_chats(profile) == ["one", "two"]
    (aside,) = profile.root.glob(f"{ASIDE}-*")
    assert "later" in add_chats(Profile(aside))


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut"])
def test_restoring_a_file_that_is_no_backup_raises_unknown_format(
    profile: Profile, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(UnknownFormat):
        stage_restore(profile, tmp_path / "x.zip")
    assert not (profile.root / STAGED).exists()


def test_damaged_backup_is_rejected_or_restored_completely(profile: Profile, backup: Path) -> None:
    whole = backup.read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 40)):
        backup.write_bytes(whole[:at] + b"\xff" * 40 + whole[at + 40 :])
        try:
            stage_restore(profile, backup)
        except ImportExportError:
            continue
        assert finish_restore(profile.root)  # only unused bytes were damaged
        assert add_chats(profile) == ["one", "two"]


def test_files_with_unknown_names_in_a_backup_are_not_unpacked(profile: Profile, backup: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(backup, "a") as archive:
        for name in ("../evil", "/evil", "responses/../evil", "responses/a/b", "window.lock", "responses/.."):
            archive.writestr(name, "x")
    stage_restore(profile, backup)
    names = {path.relative_to(profile.root / STAGED).as_posix() for path in (profile.root / STAGED).rglob("*")}
    assert names == {"chats.sqlite3", "settings.json", "endpoint.key", "responses", "responses/r1.json"}
    assert not list(tmp_path.rglob("evil"))


def test_restoring_a_backup_of_a_newer_version_raises_unreadable_file(profile: Profile, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("manifest.json", json.dumps({"format": "inglenook-backup", "version": 2, "layout": 1}))
    with pytest.raises(UnreadableFile, match="newer"):
        stage_restore(profile, tmp_path / "x.zip")


def test_backup_into_a_missing_folder_raises_unreadable_file(profile: Profile, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="No such file"):
        write_backup(profile, tmp_path / "no" / "backup.zip")

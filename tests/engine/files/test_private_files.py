"""Permissions of the profile's files: only their owner can read them, regardless of the umask."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.files.private_files import acl_command, make_private_file, make_private_folder, open_private
from engine.files.profile import Profile

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes are of POSIX")


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o277])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_new_folder_and_file_are_private_regardless_of_umask(tmp_path: Path, umask: int) -> None:
    make_private_folder(tmp_path / "a")
    make_private_file(tmp_path / "a" / "b")
    with open(tmp_path / "a" / "c", "w", opener=open_private) as file:
        file.write("x")
    assert [mode(tmp_path / name) for name in ("a", "a/b", "a/c")] == [0o700, 0o600, 0o600]


def test_permissions_of_existing_profile_are_restricted(tmp_path: Path) -> None:
    root = tmp_path / "profile"
    (root / "snapshots").mkdir(parents=True)
    (root / "before-restore-2026-01-01").mkdir()
    names = ("chats.sqlite3", "chats.sqlite3-wal", "inglenook.log.1", "snapshots/a.kv", "before-restore-2026-01-01/k")
    for name in names:
        (root / name).write_text("x")
        (root / name).chmod(0o644)
    for folder in (root, root / "snapshots", root / "before-restore-2026-01-01"):
        folder.chmod(0o755)
    Profile(root).ensure()
    assert {name: mode(root / name) for name in names} == dict.fromkeys(names, 0o600)
    assert mode(root) == mode(root / "snapshots") == mode(root / "before-restore-2026-01-01") == 0o700


def test_foreign_files_in_the_profile_and_targets_of_links_keep_their_permissions(tmp_path: Path) -> None:
    root, outside = tmp_path / "home", tmp_path / "model.gguf"
    (root / "public").mkdir(parents=True)
    (root / "models").mkdir()
    for path in (outside, root / "public" / "page.html", root / "notes.txt"):
        path.write_text("x")
        path.chmod(0o644)
    (root / "models" / "linked.gguf").symlink_to(outside)
    (root / "models" / "loop").symlink_to(root)
    Profile(root).ensure()
    assert {mode(path) for path in (outside, root / "public" / "page.html", root / "notes.txt")} == {0o644}
    assert mode(root / "public") == 0o755


def test_shared_folder_such_as_tmp_keeps_its_permissions_if_it_is_the_profile(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    Profile(shared).ensure()
    assert mode(shared) == 0o1777


def test_make_private_folder_raises_if_its_path_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError):
        make_private_folder(tmp_path / "file")


def test_windows_acl_allows_owner_system_and_administrators_only() -> None:
    command = acl_command(Path("D:/chats"), "ada", r"C:\Windows")
    assert command[0] == r"C:\Windows\System32\icacls.exe"
    assert "/inheritance:r" in command
    granted = [each.partition(":")[0] for each in command if each.endswith("(OI)(CI)F")]
    assert granted == ["ada", "*S-1-5-18", "*S-1-5-32-544"]

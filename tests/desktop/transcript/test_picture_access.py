"""Tests which pictures are loaded without asking the user. Checking the path of a picture must not cause access to
another machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from desktop.transcript.local_pictures import BlockedPicture, read_picture
from desktop.transcript.picture_access import path_in_home, read_regular_file, remote_mounts


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    (home / "Pictures").mkdir(parents=True)
    (home / "Pictures" / "a.png").write_bytes(b"png")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    return home


def test_picture_in_home_folder_is_allowed(home: Path) -> None:
    path = home / "Pictures" / "a.png"
    assert path_in_home(str(path)) == path
    assert path_in_home(str(home / "Pictures" / ".." / "Pictures" / "a.png")) == path
    (home / "link").symlink_to("Pictures/a.png")
    assert path_in_home(str(home / "link")) == path


@pytest.mark.parametrize(
    "address",
    ["/net/host/a.png", "/etc/a.png", "/tmp/a.png", "/mnt/share/a.png", "~/a.png", "a.png", "//host/share/a.png"],
)  # fmt: skip
def test_path_outside_home_folder_is_rejected_without_being_accessed(
    home: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    def touched(*_: object, **__: object) -> None:
        raise AssertionError("the path was accessed")

    for name in ("stat", "lstat", "readlink", "open"):
        monkeypatch.setattr(Path, name, touched)
    assert path_in_home(address, remote=[]) is None


def test_symbolic_link_out_of_home_is_not_followed(home: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (home / "out").symlink_to(outside)
    (home / "net").symlink_to("/net/host")
    (home / "round").symlink_to("round")
    (home / "Pictures" / "up").symlink_to("../..")
    for path in ("out/a.png", "net/a.png", "round", "round/a.png", "Pictures/up/outside/a.png"):
        assert path_in_home(str(home / path), remote=[]) is None, path
    with pytest.raises(FileNotFoundError):
        path_in_home(str(home / "gone" / "a.png"))


def test_network_share_mounted_in_home_is_not_accessed(home: Path) -> None:
    path = str(home / "nas" / "a.png")
    assert path_in_home(path, remote=[str(home / "nas")]) is None
    assert path_in_home(str(home / "Pictures" / "a.png"), remote=[str(home / "nas")]) is not None
    assert path_in_home(str(home / "Pictures" / "a.png"), remote=[str(home.parent)]) is None
    assert path_in_home("/etc/passwd", home=Path("/")) is None


def test_mount_points_of_network_file_systems_are_found(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        "30 22 0:40 / /home/me/My\\040NAS rw shared:2 - cifs //nas/me rw\n"
        "31 22 0:41 / /net rw shared:3 - autofs /etc/auto.net rw\n"
        "32 22 0:42 / /home/me/ssh rw shared:4 - fuse.sshfs host: rw\n"
        "33 22 0:43 / /data rw - nfs4 host:/data rw\nnonsense\n"
    )
    assert remote_mounts(table) == ["/home/me/My NAS", "/net", "/home/me/ssh", "/data"]
    assert remote_mounts(tmp_path / "none") == []


def test_only_regular_files_within_the_size_limit_are_read(home: Path) -> None:
    assert read_regular_file(home / "Pictures" / "a.png", 3) == b"png"
    assert read_regular_file(home / "Pictures" / "a.png", 2) is None
    assert read_regular_file(home / "Pictures", 99) is None
    if hasattr(os, "mkfifo"):
        os.mkfifo(home / "pipe")
        assert read_regular_file(home / "pipe", 99) is None


def test_picture_outside_home_is_blocked_until_requested(home: Path, tmp_path: Path) -> None:
    image = QImage(4, 4, QImage.Format.Format_RGB32)
    image.fill(0)
    assert image.save(str(tmp_path / "b.png"))
    assert isinstance(read_picture(str(tmp_path / "b.png")), BlockedPicture)
    assert isinstance(read_picture((tmp_path / "b.png").as_uri()), BlockedPicture)
    assert isinstance(read_picture(str(tmp_path / "b.png"), anywhere=True), QImage)
    assert read_picture("//host/share/b.png", anywhere=True) is None
    assert read_picture("file:////host/share/b.png", anywhere=True) is None
    assert read_picture("\\\\host\\share\\b.png", anywhere=True) is None

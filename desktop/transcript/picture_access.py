"""Decides which local files may be read as pictures without asking. Any thread.

A model names them, so a path must not reach another machine: no network share, no folder that is mounted when it is
looked at, no symbolic link to one. Nothing of a path is looked at before it is known to be harmless."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path, PurePath

MOST_LINKS = 40
_REMOTE = ("nfs", "cifs", "smb", "autofs", "afs", "ncp", "9p", "coda", "ceph", "gluster", "lustre", "fuse", "davfs")
_ESCAPES = {"\\040": " ", "\\011": "\t", "\\012": "\n", "\\134": "\\"}


def path_in_home(path: str, home: Path | None = None, remote: Sequence[str] | None = None) -> Path | None:
    """The path without symbolic links; None where it leads out of the person's own folder, or to another machine.

    `home` and `remote` (where other machines are mounted) are those of this machine where they are left out."""
    own = Path(os.path.normpath(home or Path.home()))
    mounts = remote_mounts() if remote is None else remote
    wanted = Path(os.path.normpath(path))
    if len(own.parts) < 2 or not wanted.is_absolute() or not _is_inside(own, own, mounts):
        return None
    n_links = 0
    reached, *rest = _places(wanted)
    while _is_inside(wanted, own, mounts):
        if len(reached.parts) > len(own.parts) and stat.S_ISLNK(reached.lstat().st_mode):
            n_links += 1
            if n_links > MOST_LINKS:
                return None
            below = wanted.relative_to(reached)
            wanted = Path(os.path.normpath(reached.parent / reached.readlink() / below))
            reached, *rest = _places(wanted)
        elif rest:
            reached, *rest = rest
        else:
            return wanted
    return None


def _places(path: Path) -> list[Path]:
    """The parents of the path, the outermost first, and the path itself."""
    return [*reversed(path.parents), path]


def remote_mounts(table: Path = Path("/proc/self/mountinfo")) -> list[str]:
    """The folders below which files lie on other machines, or are mounted when they are looked at."""
    try:
        lines = table.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found: list[str] = []
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")[0]
        if len(fields) > 4 and kind.startswith(_REMOTE):
            found.append(_unescaped(fields[4]))
    return found


def read_regular_file(path: Path, limit: int) -> bytes | None:
    """The content of a regular file of at most `limit` bytes; None for anything else. Raises OSError."""
    if not stat.S_ISREG(path.stat().st_mode):  # opening a device may already do something
        return None
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
            return None
        content = file.read(limit + 1)
    return content if len(content) <= limit else None


def _is_inside(path: Path, own: Path, mounts: Sequence[str]) -> bool:
    return _is_below(path, [own]) and not _is_below(path, mounts) and not _is_remote_drive(str(path))


def _is_below(path: Path, folders: Sequence[str | Path]) -> bool:
    parts = _parts(path)
    return any(parts[: len(folder)] == folder for folder in map(_parts, folders))


def _parts(path: str | Path) -> tuple[str, ...]:
    return PurePath(os.path.normcase(os.path.normpath(path))).parts


def _is_remote_drive(path: str) -> bool:
    """A share, or on Windows a letter that stands for one or for nothing."""
    if path.startswith(("//", "\\\\")):
        return True
    if sys.platform == "win32":
        import ctypes

        nothing, remote = 1, 4
        drive = os.path.splitdrive(path)[0]
        return ctypes.windll.kernel32.GetDriveTypeW(f"{drive}\\") in (nothing, remote)
    return False


def _unescaped(path: str) -> str:
    for written, letter in _ESCAPES.items():
        path = path.replace(written, letter)
    return path

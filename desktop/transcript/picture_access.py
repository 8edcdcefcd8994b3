"""Decides which local files may be loaded as pictures without asking the user. All functions may be called on any
thread.

The paths are untrusted, because a model wrote them. Checking a path must not cause access to another machine through a
network share, an automount, or a symbolic link to one of these. Therefore no part of a path is accessed before it is
known to be local."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path, PurePath

MAX_LINKS = 40
_REMOTE_FILESYSTEMS = (
    "nfs",
    "cifs",
    "smb",
    "autofs",
    "afs",
    "ncp",
    "9p",
    "coda",
    "ceph",
    "gluster",
    "lustre",
    "fuse",
    "davfs",
)
_ESCAPES = {"\\040": " ", "\\011": "\t", "\\012": "\n", "\\134": "\\"}


def path_in_home(path: str, home: Path | None = None, remote: Sequence[str] | None = None) -> Path | None:
    """Resolves the symbolic links of a path. Returns None if it leads out of the home folder or to another machine.
    Raises OSError if a part of it does not exist.

    `home` is the home folder, by default that of the user. `remote` are the mount points of network file systems, by
    default those of this machine."""
    own = Path(os.path.normpath(home or Path.home()))
    mounts = remote_mounts() if remote is None else remote
    wanted = Path(os.path.normpath(path))
    if len(own.parts) < 2 or not wanted.is_absolute() or not _is_inside(own, own, mounts):
        return None
    n_links = 0
    reached, *rest = _prefixes(wanted)
    while _is_inside(wanted, own, mounts):
        if len(reached.parts) > len(own.parts) and stat.S_ISLNK(reached.lstat().st_mode):
            n_links += 1
            if n_links > MAX_LINKS:
                return None
            below = wanted.relative_to(reached)
            wanted = Path(os.path.normpath(reached.parent / reached.readlink() / below))
            reached, *rest = _prefixes(wanted)
        elif rest:
            reached, *rest = rest
        else:
            return wanted
    return None


def _prefixes(path: Path) -> list[Path]:
    """The parents of a path, outermost first, and the path itself."""
    return [*reversed(path.parents), path]


def remote_mounts(table: Path = Path("/proc/self/mountinfo")) -> list[str]:
    """The mount points of network file systems and automounts."""
    try:
        lines = table.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found: list[str] = []
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")[0]
        if len(fields) > 4 and kind.startswith(_REMOTE_FILESYSTEMS):
            found.append(_unescaped(fields[4]))
    return found


def read_regular_file(path: Path, limit: int) -> bytes | None:
    """The content of a regular file. Returns None if the file is not regular or has more than `limit` bytes. Raises
    OSError."""
    if not stat.S_ISREG(path.stat().st_mode):  # opening a device can have side effects
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
    """Whether a path is a UNC path. On Windows, also whether it is on a network drive or on a drive that does not
    exist."""
    if path.startswith(("//", "\\\\")):
        return True
    if sys.platform == "win32":
        import ctypes

        no_root_dir, remote = 1, 4  # DRIVE_NO_ROOT_DIR and DRIVE_REMOTE of the Windows API
        drive = os.path.splitdrive(path)[0]
        return ctypes.windll.kernel32.GetDriveTypeW(f"{drive}\\") in (no_root_dir, remote)
    return False


def _unescaped(path: str) -> str:
    """Decodes the octal escapes in a path from /proc/self/mountinfo."""
    for written, character in _ESCAPES.items():
        path = path.replace(written, character)
    return path

"""File permissions of the profile: only the account that owns it may read what lies in it.

The process's umask is not changed, because documents that a person saves elsewhere must follow it.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

FOLDER_MODE, FILE_MODE = 0o700, 0o600

_OTHERS = stat.S_IRWXG | stat.S_IRWXO

_FILES = (
    "chats.sqlite3",
    "settings.json",
    "endpoint.key",
    "endpoint-keys.json",
    "inglenook.log",
    "window.lock",
    "library.json",
    "machine.json",
)
"""How the names of our own files begin: a journal, an older log and a kept copy have longer names."""

_FOLDERS = ("models", "snapshots", "responses", "probed", "restore", "before-restore", "recovering-")
"""How the names of our own folders begin."""


def make_private_folder(path: Path) -> None:
    """Creates the folder with mode 0700 whatever the umask; one that exists loses what others may. Raises OSError."""
    try:
        path.mkdir(mode=FOLDER_MODE, parents=True)
    except FileExistsError:
        if not path.is_dir():
            raise
        if not _is_shared(path):
            _take_from_others(path)
    else:
        path.chmod(FOLDER_MODE)  # a umask such as 0277 takes the owner's own rights


def open_private(path: str | Path, flags: int) -> int:
    """An `opener` for `open`: a file that is created has mode 0600 whatever the umask. Raises OSError."""
    descriptor = os.open(path, flags, FILE_MODE)
    if os.name == "posix" and flags & os.O_CREAT:
        with contextlib.suppress(OSError):  # another account's file, or a file system without modes
            os.fchmod(descriptor, FILE_MODE)
    return descriptor


def make_private_file(path: Path) -> None:
    """Creates an empty file with mode 0600, or corrects the one that is there. Raises OSError."""
    os.close(open_private(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)))


def correct_profile(root: Path) -> None:
    """Removes the permissions of other accounts from the profile. Only files with our names are changed, since any
    folder can be chosen as the profile. Files of other accounts and the targets of links are not changed."""
    if os.name != "posix":
        protect_on_windows(root)
        return
    for path in _own(root):
        _take_from_others(path)


def protect_on_windows(root: Path) -> None:
    """Limits the folder's ACL where it does not inherit that of the account's home folder."""
    import getpass  # late: this module is imported before the first paint
    import subprocess

    if sys.platform == "win32" and not root.resolve().is_relative_to(Path.home().resolve()):
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run(
                acl_command(root, getpass.getuser(), os.environ.get("SYSTEMROOT", r"C:\Windows")),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=10,
                check=False,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )


def acl_command(root: Path, account: str, system_root: str) -> Sequence[str]:
    """The command that leaves the folder to its owner, to the system and to administrators, as Windows does for home
    folders. The two groups are named by their SIDs, whose names differ between languages."""
    full = "(OI)(CI)F"
    return (
        rf"{system_root}\System32\icacls.exe",
        str(root),
        "/inheritance:r",
        "/grant:r",
        f"{account}:{full}",
        f"*S-1-5-18:{full}",
        f"*S-1-5-32-544:{full}",
        "/q",
    )


def _own(root: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError), os.scandir(root) as entries:
        for entry in entries:
            if entry.is_symlink():
                continue
            if entry.is_dir(follow_symlinks=False):
                if entry.name.startswith(_FOLDERS):
                    yield Path(entry.path)
                    yield from _below(Path(entry.path))
            elif entry.name.startswith(_FILES):
                yield Path(entry.path)


def _below(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink():
                continue
            yield Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                yield from _below(Path(entry.path))


def _is_shared(folder: Path) -> bool:
    """A folder such as /tmp, in which several accounts keep files on purpose."""
    with contextlib.suppress(OSError):
        return bool(folder.stat().st_mode & stat.S_ISVTX)
    return False


def _take_from_others(path: Path) -> None:
    with contextlib.suppress(OSError):
        found = path.lstat()
        mode = stat.S_IMODE(found.st_mode)
        if os.name == "posix" and found.st_uid == os.geteuid() and mode & _OTHERS and not stat.S_ISLNK(found.st_mode):
            path.chmod(mode & ~_OTHERS)

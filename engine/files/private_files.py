"""Permissions of the files in the user's profile folder: only their owner may read them.

The process's umask is not changed, because it has to apply to documents that the user saves elsewhere.
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

_FILE_PREFIXES = (
    "chats.sqlite3",
    "settings.json",
    "endpoint.key",
    "endpoint-keys.json",
    "connection-keys.json",
    "inglenook.log",
    "window.lock",
    "library.json",
    "machine.json",
)
"""The names of the app's own files begin with these prefixes. Journals, old logs and copies have longer names that
begin in the same way."""

_FOLDER_PREFIXES = (
    "models", "snapshots", "responses", "probed", "graphics", "restore", "before-restore", "recovering-",
)  # fmt: skip
"""The names of the app's own folders begin with these prefixes."""


def make_private_folder(path: Path) -> None:
    """Creates the folder with mode 0700 regardless of the umask. If it exists, removes the permissions of other
    accounts. Raises OSError."""
    try:
        path.mkdir(mode=FOLDER_MODE, parents=True)
    except FileExistsError:
        if not path.is_dir():
            raise
        if not _is_shared(path):
            _remove_other_permissions(path)
    else:
        # this `chmod` is needed for a umask such as 0277, which removes the owner's permissions
        path.chmod(FOLDER_MODE)


def open_private(path: str | Path, flags: int) -> int:
    """An `opener` for `open` that creates files with mode 0600 regardless of the umask. Raises OSError."""
    descriptor = os.open(path, flags, FILE_MODE)
    if os.name == "posix" and flags & os.O_CREAT:
        with contextlib.suppress(OSError):  # the file belongs to another account, or its file system has no modes
            os.fchmod(descriptor, FILE_MODE)
    return descriptor


def make_private_file(path: Path) -> None:
    """Creates an empty file with mode 0600, or corrects the mode of an existing one. Raises OSError."""
    os.close(open_private(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)))


def restrict_profile(root: Path) -> None:
    """Removes the permissions of other accounts from the files in the profile folder.

    Changes only files with the app's own names, because any folder can be the profile. Does not change files of other
    accounts or the targets of links."""
    if os.name != "posix":
        restrict_on_windows(root)
        return
    for path in _profile_entries(root):
        _remove_other_permissions(path)


def restrict_on_windows(root: Path) -> None:
    """Restricts the access control list of the profile folder. Does nothing inside the account's home folder, whose
    list is already restricted."""
    import getpass  # imported late, because this module is loaded before the window is first painted
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
    """Returns the command that gives access only to the owner, the system and administrators, as Windows does for home
    folders. The system and the administrators are given by SID, because their names depend on the language."""
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


def _profile_entries(root: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError), os.scandir(root) as entries:
        for entry in entries:
            if entry.is_symlink():
                continue
            if entry.is_dir(follow_symlinks=False):
                if entry.name.startswith(_FOLDER_PREFIXES):
                    yield Path(entry.path)
                    yield from _entries_below(Path(entry.path))
            elif entry.name.startswith(_FILE_PREFIXES):
                yield Path(entry.path)


def _entries_below(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink():
                continue
            yield Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                yield from _entries_below(Path(entry.path))


def _is_shared(folder: Path) -> bool:
    """Whether several accounts keep files in the folder, as in /tmp."""
    with contextlib.suppress(OSError):
        return bool(folder.stat().st_mode & stat.S_ISVTX)
    return False


def _remove_other_permissions(path: Path) -> None:
    with contextlib.suppress(OSError):
        found = path.lstat()
        mode = stat.S_IMODE(found.st_mode)
        if os.name == "posix" and found.st_uid == os.geteuid() and mode & _OTHERS and not stat.S_ISLNK(found.st_mode):
            path.chmod(mode & ~_OTHERS)

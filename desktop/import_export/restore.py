"""Moves a staged backup into place when the app starts, before any file of the profile is opened.

This module runs before the first paint and therefore imports little. `backup.py` stages the backup.
"""

from __future__ import annotations

import time
from pathlib import Path

from engine.files.private_files import make_private_folder

STAGED = "restore"
"""Folder in the profile that contains the staged backup. Before `finish_restore` moves the files, it appends a
timestamp to the name of this folder. The folder for the previous files has the same timestamp."""

ASIDE = "before-restore"

CHATS = "chats.sqlite3"


def is_restore_staged(root: Path) -> bool:
    """Whether a backup is restored at the next start."""
    return (root / STAGED).is_dir()


def finish_restore(root: Path) -> Path | None:
    """Moves the staged files into the profile, and the previous files into a new folder. Returns the new folder, None
    if nothing was staged. Raises OSError.

    If a call is interrupted, the next call continues it. If that call finishes several restores, it returns the newest
    folder."""
    started = sorted(path for path in root.glob(f"{STAGED}-*") if path.is_dir())
    if (root / STAGED).is_dir():
        started.append((root / STAGED).rename(root / f"{STAGED}-{_unused_timestamp(root)}"))
    aside: Path | None = None
    for staged in started:
        aside = root / f"{ASIDE}{staged.name.removeprefix(STAGED)}"
        _put_in_place(root, staged, aside)
    return aside


def _put_in_place(root: Path, staged: Path, aside: Path) -> None:
    make_private_folder(aside)
    for new in sorted(staged.iterdir()):
        # The WAL files are moved as well: SQLite would apply them to the restored database.
        for name in (new.name, *(f"{CHATS}{ending}" for ending in ("-wal", "-shm") if new.name == CHATS)):
            if (root / name).exists():
                (root / name).rename(aside / name)
        new.rename(root / new.name)
    staged.rmdir()


def _unused_timestamp(root: Path) -> str:
    """Returns a timestamp for a restore. If a restore in the same second has used it, a number is appended."""
    mark = time.strftime("%Y-%m-%d-%H%M%S")
    number = 1
    while any((root / f"{name}-{mark}").exists() for name in (STAGED, ASIDE)):
        number += 1
        mark = f"{mark[:17]}-{number}"
    return mark

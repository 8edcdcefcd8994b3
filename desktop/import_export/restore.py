"""Puts a staged backup in place at the start of the app, before any file of the profile is opened.

It runs before the first paint and therefore imports little; `backup.py` stages the backup.
"""

from __future__ import annotations

import time
from pathlib import Path

from engine.files.private_files import make_private_folder

STAGED = "restore"
"""Folder in the profile with the staged backup. `finish_restore` appends a timestamp to its name before it moves files,
and to that of the folder for the previous files."""

ASIDE = "before-restore"

CHATS = "chats.sqlite3"


def is_restore_staged(root: Path) -> bool:
    """Whether a backup is restored at the next start."""
    return (root / STAGED).is_dir()


def finish_restore(root: Path) -> Path | None:
    """Moves the staged files into the profile, and the previous ones into a new folder, which is returned. Returns None
    if nothing was staged. Raises OSError.

    If it is interrupted, the next call continues it; it then returns the newest folder."""
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
        # The WAL files are moved, too: SQLite would apply them to the restored database.
        for name in (new.name, *(f"{CHATS}{ending}" for ending in ("-wal", "-shm") if new.name == CHATS)):
            if (root / name).exists():
                (root / name).rename(aside / name)
        new.rename(root / new.name)
    staged.rmdir()


def _unused_timestamp(root: Path) -> str:
    """A timestamp, with a number appended if a restore of the same second exists."""
    mark = time.strftime("%Y-%m-%d-%H%M%S")
    number = 1
    while any((root / f"{name}-{mark}").exists() for name in (STAGED, ASIDE)):
        number += 1
        mark = f"{mark[:17]}-{number}"
    return mark

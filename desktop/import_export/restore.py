"""The second half of bringing a backup back, before anything of the profile is opened. Imports next to nothing: it runs
before the first paint."""

from __future__ import annotations

import time
from pathlib import Path

from engine.files.private_files import make_private_folder

STAGED = "restore"
"""The folder of the profile that is to be put in place at the next start. While that is done its name ends in the time
at which it began, and so does the folder with what stood there before."""

ASIDE = "before-restore"

CHATS = "chats.sqlite3"


def is_restore_staged(root: Path) -> bool:
    """Whether the next start brings a backup back."""
    return (root / STAGED).is_dir()


def finish_restore(root: Path) -> Path | None:
    """Puts what is staged in its place, and what stood there aside, in a folder of its own each time. Returns that
    folder, the last where there were several; None where nothing was staged. Raises OSError.

    Cut off at any moment, the next start goes on where it stopped."""
    begun = sorted(path for path in root.glob(f"{STAGED}-*") if path.is_dir())
    if (root / STAGED).is_dir():
        begun.append((root / STAGED).rename(root / f"{STAGED}-{_free_mark(root)}"))
    aside: Path | None = None
    for staged in begun:
        aside = root / f"{ASIDE}{staged.name.removeprefix(STAGED)}"
        _put_in_place(root, staged, aside)
    return aside


def _put_in_place(root: Path, staged: Path, aside: Path) -> None:
    make_private_folder(aside)
    for new in sorted(staged.iterdir()):
        # The journal goes with its file: beside another file of that name it would be taken for that one's.
        for name in (new.name, *(f"{CHATS}{ending}" for ending in ("-wal", "-shm") if new.name == CHATS)):
            if (root / name).exists():
                (root / name).rename(aside / name)
        new.rename(root / new.name)
    staged.rmdir()


def _free_mark(root: Path) -> str:
    """The time, with a number behind it where a restore of the same second is there already."""
    mark = time.strftime("%Y-%m-%d-%H%M%S")
    number = 1
    while any((root / f"{name}-{mark}").exists() for name in (STAGED, ASIDE)):
        number += 1
        mark = f"{mark[:17]}-{number}"
    return mark

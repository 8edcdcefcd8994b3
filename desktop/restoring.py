"""The second half of bringing a backup back, before anything of the profile is opened. Imports next to nothing: it runs
before the first paint."""

from __future__ import annotations

from pathlib import Path

STAGED, ASIDE = "restore", "before-restore"
"""Folders of the profile: what is to be put in place at the next start, and what stood there before."""

CHATS = "chats.sqlite3"


def finish_restore(root: Path) -> bool:
    """Puts what is staged in its place, and what stood there aside. True where something was. Raises OSError.

    Cut off at any moment, the next start goes on where it stopped."""
    staged, aside = root / STAGED, root / ASIDE
    if not staged.is_dir():
        return False
    aside.mkdir(exist_ok=True)
    for new in sorted(staged.iterdir()):
        # The journal goes with its file: beside another file of that name it would be taken for that one's.
        for name in (new.name, *(f"{CHATS}{ending}" for ending in ("-wal", "-shm") if new.name == CHATS)):
            if (root / name).exists():
                _replace(root / name, aside / name)
        new.rename(root / new.name)
    staged.rmdir()
    return True


def _replace(source: Path, target: Path) -> None:
    if target.is_dir():
        for child in target.iterdir():
            child.unlink()
        target.rmdir()
    source.replace(target)

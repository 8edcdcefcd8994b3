"""Records the owners of each KV snapshot in a file beside the snapshot, so that deleting a chat can delete its
snapshots too."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from engine.files.atomic_write import write_atomic
from engine.kv_cache.snapshot_file import SUFFIX

OWNERS = ".owners"


def add_owner(snapshot: Path, owner: str) -> None:
    """Adds an owner to a snapshot; "" means that the owner is unknown. Does nothing if the snapshot does not exist.
    Raises OSError."""
    if not snapshot.exists():
        return
    owners = _owners(snapshot)
    if owner not in owners:
        _write_owners(snapshot, {*owners, owner})


def delete_snapshots(folder: Path, owners: Collection[str]) -> int:
    """Deletes the snapshots that have only the given owners, and all snapshots with an unknown owner. Removes the given
    owners from the other snapshots. Returns the number of deleted snapshots.

    May be called on any thread, even while a model is loaded: if a snapshot is missing, its prompt is computed
    again."""
    n = 0
    with suppress(OSError):
        for snapshot in list(folder.glob(f"*{SUFFIX}")):
            with suppress(OSError):
                n += _remove_owners(snapshot, owners)
        for noted in list(folder.glob(f"*{OWNERS}")):
            if not noted.with_suffix(SUFFIX).exists():
                with suppress(OSError):
                    noted.unlink(missing_ok=True)
    return n


def _remove_owners(snapshot: Path, owners: Collection[str]) -> bool:
    """Returns whether the snapshot was deleted. Raises OSError."""
    found = _owners(snapshot)
    left = found.difference(owners)
    if left == found and found and "" not in found:
        return False
    if left and "" not in left:
        with suppress(OSError):
            _write_owners(snapshot, left)
            return False
    snapshot.unlink(missing_ok=True)
    return True


def _write_owners(snapshot: Path, owners: Collection[str]) -> None:
    write_atomic(snapshot.with_suffix(OWNERS), "".join(f"{each}\n" for each in sorted(owners)))


def _owners(snapshot: Path) -> set[str]:
    try:
        return set(snapshot.with_suffix(OWNERS).read_text(encoding="utf-8").split("\n")[:-1])
    except (OSError, ValueError):
        return set()

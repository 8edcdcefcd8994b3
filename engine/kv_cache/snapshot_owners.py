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
        write_atomic(snapshot.with_suffix(OWNERS), "".join(f"{each}\n" for each in sorted({*owners, owner})))


def delete_snapshots(folder: Path, owners: Collection[str]) -> int:
    """Deletes the snapshots of the given owners, and all snapshots whose owner is unknown. Returns the number of
    deleted snapshots.

    May be called on any thread, even while a model is loaded: if a snapshot is missing, its prompt is computed
    again."""
    n = 0
    with suppress(OSError):
        for snapshot in list(folder.glob(f"*{SUFFIX}")):
            found = _owners(snapshot)
            if not found or "" in found or not found.isdisjoint(owners):
                with suppress(OSError):
                    snapshot.unlink(missing_ok=True)
                    n += 1
        for noted in list(folder.glob(f"*{OWNERS}")):
            if not noted.with_suffix(SUFFIX).exists():
                with suppress(OSError):
                    noted.unlink(missing_ok=True)
    return n


def _owners(snapshot: Path) -> set[str]:
    try:
        return set(snapshot.with_suffix(OWNERS).read_text(encoding="utf-8").split("\n")[:-1])
    except (OSError, ValueError):
        return set()

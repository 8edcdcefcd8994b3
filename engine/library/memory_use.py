"""What the process takes in memory and on disk right now."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

import psutil

from engine.events import MemoryAccount


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """Bytes. `account` is what was foreseen for the loaded model; `resident` counts a mapped file's pages too."""

    account: MemoryAccount | None
    resident: int
    snapshots: int
    """On disk, of all models."""
    available: int
    kv_window: float = 0.0
    """The share of the KV memory that holds what the window has asked; the rest of it is room or the endpoint's."""
    kv_endpoint: float = 0.0


def memory_use(
    account: MemoryAccount | None, snapshots: Path | None, held: tuple[float, float] = (0.0, 0.0)
) -> MemoryUse:
    """Any thread; takes some tenths of a millisecond, more with thousands of snapshots."""
    return MemoryUse(
        account=account,
        resident=int(psutil.Process().memory_info().rss),
        snapshots=_folder_bytes(snapshots) if snapshots is not None else 0,
        available=int(psutil.virtual_memory().available),
        kv_window=held[0],
        kv_endpoint=held[1],
    )


def _folder_bytes(folder: Path) -> int:
    total = 0
    with contextlib.suppress(OSError):  # not made yet
        for path in folder.iterdir():
            with contextlib.suppress(OSError):  # evicted a moment ago
                total += path.stat().st_size
    return total

"""What the process takes in memory and on disk right now."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

import psutil

from engine.status import KvUsage, MemoryEstimate


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """Bytes. `account` is what was foreseen for the loaded model; `resident` counts a mapped file's pages too."""

    account: MemoryEstimate | None
    resident: int
    snapshots: int
    """On disk, of all models."""
    available: int
    kv_usage: tuple[KvUsage, ...] = ()
    """Who holds what of the KV memory; the rest of it is room."""

    @property
    def kv_window(self) -> float:
        """The share of the KV memory that holds what the window has asked."""
        return sum(each.share for each in self.kv_usage if each.origin == "window")

    @property
    def kv_endpoint(self) -> float:
        return sum(each.share for each in self.kv_usage if each.origin == "endpoint")


def memory_use(account: MemoryEstimate | None, snapshots: Path | None, kv_usage: tuple[KvUsage, ...] = ()) -> MemoryUse:
    """Any thread; takes some tenths of a millisecond, more with thousands of snapshots."""
    return MemoryUse(
        account=account,
        resident=int(psutil.Process().memory_info().rss),
        snapshots=_folder_bytes(snapshots) if snapshots is not None else 0,
        available=int(psutil.virtual_memory().available),
        kv_usage=kv_usage,
    )


def _folder_bytes(folder: Path) -> int:
    total = 0
    with contextlib.suppress(OSError):  # not made yet
        for path in folder.iterdir():
            with contextlib.suppress(OSError):  # evicted a moment ago
                total += path.stat().st_size
    return total

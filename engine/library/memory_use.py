"""The memory and disk space that the process uses now."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

import psutil

from engine.status import KvUsage, MemoryEstimate


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """Memory and disk use of the process, in bytes. `resident` includes the resident pages of mapped files."""

    estimate: MemoryEstimate | None
    """The memory estimate for the loaded model."""
    resident: int
    snapshots: int
    """The size of all KV snapshots on disk, of all models."""
    available: int
    kv_usage: tuple[KvUsage, ...] = ()
    """How much of the KV cache and of host memory is used by the states of each chat and API key. The rest of the KV
    cache is free."""

    @property
    def kv_window(self) -> float:
        """The share of the KV cache that requests of the window use."""
        return sum(each.share for each in self.kv_usage if each.origin == "window")

    @property
    def kv_endpoint(self) -> float:
        """The share of the KV cache that requests of the endpoint (the local API) use."""
        return sum(each.share for each in self.kv_usage if each.origin == "endpoint")


def memory_use(
    estimate: MemoryEstimate | None, snapshots: Path | None, kv_usage: tuple[KvUsage, ...] = ()
) -> MemoryUse:
    """Reads the current memory and disk use. May be called on any thread. Takes some tenths of a millisecond, or longer
    if there are thousands of KV snapshots on disk."""
    return MemoryUse(
        estimate=estimate,
        resident=int(psutil.Process().memory_info().rss),
        snapshots=_folder_bytes(snapshots) if snapshots is not None else 0,
        available=int(psutil.virtual_memory().available),
        kv_usage=kv_usage,
    )


def _folder_bytes(folder: Path) -> int:
    total = 0
    with contextlib.suppress(OSError):  # the folder does not exist yet
        for path in folder.iterdir():
            with contextlib.suppress(OSError):  # the KV snapshot was deleted meanwhile
                total += path.stat().st_size
    return total

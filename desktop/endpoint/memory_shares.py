"""Divides the memory of the process into model weights, KV states of chats, KV states of tools, and the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.library.memory_use import MemoryUse


@dataclass(frozen=True, slots=True)
class MemoryHolder:
    """The KV states of one chat or one API key, in bytes."""

    name: str
    """Title of the chat, or name of the key."""
    is_tool: bool
    size: int
    """In the KV cache."""
    host_size: int = 0
    """In host memory, from where they are copied back into the KV cache when they are needed."""


@dataclass(frozen=True, slots=True)
class MemoryShares:
    """The sizes of the parts that the memory of the process consists of, in bytes."""

    weights: int
    kv_window: int
    """KV states of chats, in the KV cache and in host memory."""
    kv_tools: int
    """KV states of tools, in the KV cache and in host memory."""
    kv_free: int
    others: int
    """The rest of the process: window, endpoint and compute buffers."""
    available: int
    """Free memory of the machine."""
    snapshots: int
    """Size of the KV snapshots on disk."""
    holders: tuple[MemoryHolder, ...] = ()
    """The chats and API keys that have KV states, largest first."""

    @property
    def used(self) -> int:
        return self.weights + self.kv_window + self.kv_tools + self.kv_free + self.others


def memory_shares(use: MemoryUse, title_of: Callable[[str], str]) -> MemoryShares:
    """Divides the memory use that the engine reports into its parts.

    `title_of(chat_id)` returns "" for an unknown chat. The memory of an unknown chat is counted, but the chat is not
    listed as a holder. The sizes of weights and KV cache are estimates; `others` is the rest of the resident memory."""
    weights = use.estimate.weights_bytes if use.estimate else 0
    kv = use.estimate.kv_bytes if use.estimate else 0
    in_cache = {"window": round(kv * use.kv_window), "endpoint": round(kv * use.kv_endpoint)}
    in_host = {origin: sum(each.host_bytes for each in use.kv_usage if each.origin == origin) for origin in in_cache}
    holders = [
        MemoryHolder(name, each.origin == "endpoint", round(kv * each.share), each.host_bytes)
        for each in sorted(use.kv_usage, key=lambda each: (-kv * each.share - each.host_bytes, -each.share))
        if (name := each.owner if each.origin == "endpoint" else title_of(each.owner))
    ]
    return MemoryShares(
        weights=weights,
        kv_window=in_cache["window"] + in_host["window"],
        kv_tools=in_cache["endpoint"] + in_host["endpoint"],
        kv_free=kv - sum(in_cache.values()),
        others=max(0, use.resident - weights - kv - sum(in_host.values())),
        available=use.available,
        snapshots=use.snapshots,
        holders=tuple(holders),
    )

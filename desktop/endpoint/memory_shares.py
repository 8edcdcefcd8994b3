"""Divides the memory of the process into model weights, KV cache of chats, KV cache of tools, and the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.library.memory_use import MemoryUse


@dataclass(frozen=True, slots=True)
class MemoryHolder:
    """The part of the KV cache that one chat or one API key uses, in bytes."""

    name: str
    """Title of the chat, or name of the key."""
    is_tool: bool
    size: int


@dataclass(frozen=True, slots=True)
class MemoryShares:
    """The sizes of the parts that the memory of the process consists of, in bytes."""

    weights: int
    kv_window: int
    kv_tools: int
    kv_free: int
    others: int
    """The rest of the process: window, endpoint and compute buffers."""
    available: int
    """Free memory of the machine."""
    snapshots: int
    """Size of the KV snapshots on disk."""
    holders: tuple[MemoryHolder, ...] = ()
    """The chats and API keys that use the KV cache, largest first."""

    @property
    def used(self) -> int:
        return self.weights + self.kv_window + self.kv_tools + self.kv_free + self.others


def memory_shares(use: MemoryUse, title_of: Callable[[str], str]) -> MemoryShares:
    """Divides the memory use that the engine reports into its parts.

    `title_of(chat_id)` returns "" for an unknown chat. The memory of an unknown chat is counted, but the chat is not
    listed as a holder. The sizes of weights and KV cache are estimates; `others` is the rest of the resident memory."""
    weights = use.estimate.weights_bytes if use.estimate else 0
    kv = use.estimate.kv_bytes if use.estimate else 0
    window, tools = round(kv * use.kv_window), round(kv * use.kv_endpoint)
    others = max(0, use.resident - weights - kv)
    holders = [
        MemoryHolder(name, each.origin == "endpoint", round(kv * each.share))
        for each in sorted(use.kv_usage, key=lambda each: -each.share)
        if (name := each.owner if each.origin == "endpoint" else title_of(each.owner))
    ]
    free = kv - window - tools
    return MemoryShares(weights, window, tools, free, others, use.available, use.snapshots, tuple(holders))

"""What must happen to the KV memory before the next decode, in order. Decided by the cache, done by the mover."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clear:
    """Forget all that `slot` holds."""

    slot: int


@dataclass(frozen=True, slots=True)
class Copy:
    """Share the first `n` tokens of `source` with the empty slot `target`."""

    source: int
    target: int
    n: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Keep only the first `n` tokens of `slot`."""

    slot: int
    n: int


@dataclass(frozen=True, slots=True)
class Save:
    """Take a snapshot of `slot`, which holds `tokens`, before they go."""

    slot: int
    tokens: list[int]


@dataclass(frozen=True, slots=True)
class Restore:
    """Fill the empty `slot` from the snapshot `key`, which holds `n` tokens."""

    slot: int
    key: str
    n: int


KvOp = Clear | Copy | Cut | Save | Restore

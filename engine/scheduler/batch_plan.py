"""What the scheduler and the worker say to each other about one step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from engine.backend import Chunk
from engine.events import FinishReason
from engine.kv_memory import KvOp
from engine.scheduler.sequence import Sequence


@dataclass(frozen=True, slots=True)
class BatchEntry:
    """One sequence's share of a step; `row` is the index of its last token in the batch. One that `writes` goes on
    with an answer, the others read."""

    sequence: Sequence
    chunk: Chunk
    row: int
    writes: bool


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """One decode: first the moves in the KV memory, in order, then the entries, of which those that sample get a
    token."""

    moves: tuple[KvOp, ...]
    entries: tuple[BatchEntry, ...]

    @property
    def n_tokens(self) -> int:
        return sum(len(entry.chunk.tokens) for entry in self.entries)

    @property
    def n_prompt_tokens(self) -> int:
        """Tokens that are read, not written."""
        return sum(len(entry.chunk.tokens) for entry in self.entries if not entry.writes)


@dataclass(frozen=True, slots=True)
class SampledToken:
    """A token that a sequence was given. `finish` says that it was the last; "stop" means an end token,
    which is no part of the answer's text."""

    sequence: Sequence
    token: int
    finish: FinishReason | None


class SnapshotIndex(Protocol):
    """What lies on disk and can be restored at once."""

    def find(self, tokens: list[int]) -> tuple[str, list[int]] | None:
        """Key and tokens of the snapshot that has the most in common with `tokens`."""

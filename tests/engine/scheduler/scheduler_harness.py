"""Test harness for the scheduler: a real prefix cache, a factory of sequences, and a model of the KV memory that checks
operations."""

from __future__ import annotations

from collections.abc import Sequence

from engine.adapter import AdapterScales
from engine.backend import Limits
from engine.kv_cache.prefix_cache import PrefixCache
from engine.kv_memory import (
    Clear,
    Copy,
    KvOp,
    Relocate,
    Reset,
    Restore,
    Save,
    SavedPrefix,
    SnapshotIndex,
    Truncate,
    common_prefix_length,
)
from engine.priority import Priority
from engine.scheduler.scheduler import Scheduler
from engine.scheduler.sequence import BatchPlan, SequenceState

END = 99
"""The end-of-generation token."""

LIMITS = Limits(n_cells=48, n_slots=6, n_batch=16, n_running=4, n_outputs=12, prompt_cut=16)


class CachedScheduler(Scheduler):
    """A scheduler whose prefix cache is an attribute."""

    def __init__(self, limits: Limits = LIMITS, snapshots: SnapshotIndex | None = None) -> None:
        self.cache = PrefixCache(limits)
        super().__init__(limits, frozenset({END}), self.cache, snapshots)

    def finish_all(self) -> list[SequenceState]:
        """Runs steps until no sequence is left. Returns the rejected sequences."""
        rejected: list[SequenceState] = []
        while not self.idle:
            commit_all(self, self.plan(16))
            rejected += self.take_rejected()
        return rejected


def sequence(
    name: str, n_prompt: int, priority: Priority = Priority.ENDPOINT, max_tokens: int = 8, kind: int = 0
) -> SequenceState:
    """Returns a sequence whose prompt begins with the token `kind`, followed by the tokens 1, 2, 3 and so on. So
    prompts of the same kind have a common beginning."""
    return SequenceState(name, priority, (kind, *range(1, n_prompt)), max_tokens)


class KvMemoryModel:
    """A model of llama.cpp's KV memory, in which slots consist of cells. Asserts that every operation and every decode
    is valid."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.slots: dict[int, list[tuple[int, int]]] = {}
        """The (cell, token) pairs of each slot."""
        self.saved: dict[str, list[int]] = {}
        self.max_saved_tokens = limits.n_cells
        """Length of the longest prefix that host memory can hold."""
        self._n_cells_created = 0
        self._saved_of: dict[AdapterScales, dict[str, list[int]]] = {(): self.saved}

    def select(self, scales: AdapterScales) -> None:
        """Sets the adapter scales with which tokens are computed. States of other scales are not found."""
        assert not any(self.slots.values()), "KV memory holds tokens that were computed with other scales"
        self.saved = self._saved_of.setdefault(scales, {})

    def execute(self, op: KvOp) -> None:
        match op:
            case Reset():
                self.slots.clear()
            case Clear(slot=slot):
                self.slots.pop(slot, None)
            case Truncate(slot=slot, n=n):
                assert self.limits.supports_truncation
                assert n <= len(self.slots[slot])
                del self.slots[slot][n:]
            case Copy(source=source, target=target, n=n):
                assert not self.slots.get(target)
                assert n <= len(self.slots[source])
                assert self.limits.supports_truncation or n == len(self.slots[source])
                self.slots[target] = self.slots[source][:n]
            case Save(slot=slot, tokens=tokens):
                assert [token for _, token in self.slots[slot]] == tokens
                self.saved[str(tokens)] = tokens
            case Restore(slot=slot, key=key, n=n):
                assert not self.slots.get(slot)
                assert n == len(self.saved[key])
                self.compute(slot, 0, self.saved[key])
            case Relocate(slot=slot):
                assert set(self.slots) == {slot}

    def compute(self, slot: int, start: int, tokens: Sequence[int]) -> None:
        cells = self.slots.setdefault(slot, [])
        assert start == len(cells), "the chunk does not start at the end of its slot"
        for token in tokens:
            cells.append((self._n_cells_created, token))
            self._n_cells_created += 1
        n_used = len({cell for each in self.slots.values() for cell, _ in each})
        assert n_used <= self.limits.n_cells

    def token_lists(self) -> list[list[int]]:
        """See `SnapshotIndex.token_lists`."""
        return list(self.saved.values())

    def fits(self, n_tokens: int) -> bool:
        """See `SnapshotIndex.fits`."""
        return n_tokens <= self.max_saved_tokens

    def find(self, tokens: list[int], exact_cut: int = 0) -> SavedPrefix | None:
        """See `SnapshotIndex.find`."""
        found = [
            (common_prefix_length(saved, tokens), key)
            for key, saved in self.saved.items()
            if self.limits.supports_truncation or saved == tokens[: len(saved)]
        ]
        return SavedPrefix(max(found)[1], self.saved[max(found)[1]]) if found else None


def commit_all(scheduler: Scheduler, plan: BatchPlan, token: int = 1) -> list[str]:
    """Commits a plan with `token` as the sampled token of every entry. Returns the ids of the sequences that
    finished."""
    finished = []
    for entry in plan.entries:
        for drafted in [*entry.draft, None] if entry.chunk.sample_last else []:
            is_last = scheduler.append(entry.sequence, token) is not None
            if is_last:
                finished.append(entry.sequence)
            if is_last or token != drafted:
                break
    scheduler.commit(plan)
    for sequence in finished:
        scheduler.remove(sequence)
    return [each.id for each in finished]

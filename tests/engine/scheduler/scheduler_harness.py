"""What the scheduler is tested with: sequences, a memory that does what it is told, and a step's end."""

from __future__ import annotations

from collections.abc import Sequence as Tokens

from engine.backend import Limits
from engine.kv_cache.prefix_cache import common_prefix_length
from engine.kv_memory import Clear, Copy, Cut, KvOp, Restore, Save
from engine.priority import ENDPOINT
from engine.scheduler.batch_plan import BatchPlan
from engine.scheduler.scheduler import Scheduler
from engine.scheduler.sequence import Sequence

END = 99
LIMITS = Limits(n_cells=48, n_slots=6, n_batch=16, n_running=4, n_outputs=12)


def sequence(name: str, n_prompt: int, priority: int = ENDPOINT, max_tokens: int = 8, kind: int = 0) -> Sequence:
    """Prompts of one kind begin alike: token 0 is the kind, the rest count up."""
    return Sequence(name, priority, (kind, *range(1, n_prompt)), max_tokens)


class Memory:
    """The KV memory as llama.cpp would have it: slots of cells, which several slots may share."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.slots: dict[int, list[tuple[int, int]]] = {}
        """Slot → (cell, token)."""
        self.saved: dict[str, list[int]] = {}
        self.n_made = 0

    def do(self, move: KvOp) -> None:
        match move:
            case Clear(slot=slot):
                self.slots.pop(slot, None)
            case Cut(slot=slot, n=n):
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

    def compute(self, slot: int, start: int, tokens: Tokens[int]) -> None:
        held = self.slots.setdefault(slot, [])
        assert start == len(held), "a slot's cells and its sequence disagree"
        for token in tokens:
            held.append((self.n_made, token))
            self.n_made += 1
        n_used = len({cell for each in self.slots.values() for cell, _ in each})
        assert n_used <= self.limits.n_cells

    def find(self, tokens: list[int]) -> tuple[str, list[int]] | None:
        """As a SnapshotIndex: the longest that begins like `tokens`."""
        found = [
            (common_prefix_length(held, tokens), key)
            for key, held in self.saved.items()
            if self.limits.supports_truncation or held == tokens[: len(held)]
        ]
        return (max(found)[1], self.saved[max(found)[1]]) if found else None


def commit_all(scheduler: Scheduler, plan: BatchPlan, token: int = 1) -> list[str]:
    """Gives every entry that samples the same token; the ids of those that finished."""
    sampled = {entry.sequence.id: token for entry in plan.entries if entry.chunk.samples}
    return [outcome.sequence.id for outcome in scheduler.commit(plan, sampled) if outcome.finish]

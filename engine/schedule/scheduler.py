"""Decides what the next decode computes. Pure: no clock, no thread, no llama.cpp."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.backend import Chunk, Limits
from engine.events import FinishReason
from engine.schedule.sequence import Sequence


@dataclass(frozen=True, slots=True)
class Entry:
    """One sequence's share of a step; `row` is the index of its last token in the batch."""

    sequence: Sequence
    chunk: Chunk
    row: int


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """One decode: first forget `cleared` slots, then compute `entries`, of which those that sample get a token."""

    cleared: tuple[int, ...]
    entries: tuple[Entry, ...]

    @property
    def n_tokens(self) -> int:
        return sum(len(entry.chunk.tokens) for entry in self.entries)


@dataclass(frozen=True, slots=True)
class Sampled:
    """A token that a sequence was given. `finish` says that it was the last; "stop" means an end token,
    which is no part of the answer's text."""

    sequence: Sequence
    token: int
    finish: FinishReason | None


class Scheduler:
    """Sequences in, batch plans out. Call `plan`, compute it, then `commit`.

    Decodes go first, then prompts; the window before the endpoint; within a door, first come first served.
    Where the KV memory runs out, the last in that order gives up its place and is read again later; the first
    always goes on, so everyone is served in the end.
    """

    def __init__(self, limits: Limits, ends: frozenset[int]) -> None:
        self._limits = limits
        self._ends = ends
        self._running: list[Sequence] = []
        self._waiting: list[Sequence] = []
        self._free_slots = list(range(limits.n_slots))
        self._to_clear: list[int] = []
        self._n_arrived = 0

    @property
    def running(self) -> tuple[Sequence, ...]:
        return tuple(self._running)

    @property
    def waiting(self) -> tuple[Sequence, ...]:
        return tuple(self._waiting)

    @property
    def idle(self) -> bool:
        return not self._running and not self._waiting

    @property
    def free_slots(self) -> int:
        return len(self._free_slots)

    def add(self, sequence: Sequence) -> None:
        """Queues a sequence. Its prompt must leave room for one token: 1 ≤ len(prompt) < n_cells."""
        if not 1 <= len(sequence.prompt) < self._limits.n_cells:
            raise ValueError(f"a prompt of {len(sequence.prompt)} tokens for {self._limits.n_cells} cells")
        sequence.arrival = self._n_arrived
        self._n_arrived += 1
        self._waiting.append(sequence)
        self._waiting.sort(key=lambda each: each.rank)

    def remove(self, sequence: Sequence) -> None:
        """Takes a sequence out, wherever it stands; its slot is cleared with the next plan. Idempotent."""
        if sequence in self._waiting:
            self._waiting.remove(sequence)
        elif sequence in self._running:
            self._release(sequence)

    def plan(self, n_prompt_tokens: int) -> BatchPlan:
        """The next step, with at most `n_prompt_tokens` (and always one) of prompts. Empty only when idle."""
        if not self.idle:
            self._make_room()
            self._admit()
        entries = self._fill(n_prompt_tokens)
        cleared, self._to_clear = tuple(self._to_clear), []
        return BatchPlan(cleared, entries)

    def commit(self, plan: BatchPlan, sampled: Mapping[str, int]) -> list[Sampled]:
        """Books a computed plan; `sampled` holds a token for each entry that asked for one."""
        outcomes = []
        for entry in plan.entries:
            sequence = entry.sequence
            sequence.n_computed += len(entry.chunk.tokens)
            if entry.chunk.samples:
                outcomes.append(self._append(sequence, sampled[sequence.id]))
        return outcomes

    def preempt(self) -> bool:
        """Takes the last in order off its slot, to be read again later. False where nobody else could go on."""
        if len(self._running) < 2:
            return False
        self._put_back(self._running[-1])
        return True

    def _put_back(self, sequence: Sequence) -> None:
        self._release(sequence)
        sequence.n_computed = 0
        self._waiting.append(sequence)
        self._waiting.sort(key=lambda each: each.rank)

    def _append(self, sequence: Sequence, token: int) -> Sampled:
        sequence.tokens.append(token)
        finish: FinishReason | None = None
        if token in self._ends:
            finish = "stop"
        elif sequence.n_output >= sequence.max_tokens or len(sequence.tokens) > self._limits.n_cells:
            finish = "length"
        if finish:
            self.remove(sequence)
        return Sampled(sequence, token, finish)

    def _release(self, sequence: Sequence) -> None:
        self._running.remove(sequence)
        if sequence.slot is None:
            raise AssertionError("a running sequence has a slot")
        self._free_slots.append(sequence.slot)
        self._to_clear.append(sequence.slot)
        sequence.slot = None

    def _n_used(self) -> int:
        """Cells that are or will be taken by what runs: whole prompts count from the start, so that two
        half-read prompts cannot block each other."""
        return sum(len(sequence.tokens) for sequence in self._running)

    def _make_room(self) -> None:
        while self._n_used() > self._limits.n_cells and self.preempt():
            pass

    def _admit(self) -> None:
        while self._waiting:
            first = self._waiting[0]
            while not self._fits(first) and self._outranks_last(first):
                self._put_back(self._running[-1])
            if not self._fits(first):
                return
            self._waiting.remove(first)
            first.slot = self._free_slots.pop()
            self._running.append(first)
            self._running.sort(key=lambda each: each.rank)

    def _fits(self, sequence: Sequence) -> bool:
        # One cell to spare for each that runs, or a place taken now is lost again at the next token.
        n_growing = len(self._running) + 1
        room = self._limits.n_cells - self._n_used()
        return bool(self._free_slots) and (not self._running or len(sequence.tokens) + n_growing <= room)

    def _outranks_last(self, sequence: Sequence) -> bool:
        """The window takes an endpoint sequence's place; within a door nobody is pushed out by a newcomer."""
        return bool(self._running) and sequence.door == "window" and self._running[-1].door == "endpoint"

    def _fill(self, n_prompt_tokens: int) -> tuple[Entry, ...]:
        decodes = [sequence for sequence in self._running if sequence.n_pending == 1]
        prompts = [sequence for sequence in self._running if sequence.n_pending > 1]
        entries: list[Entry] = []
        row = -1
        for sequence in decodes:
            row += 1
            entries.append(self._entry(sequence, 1, row))
        room = min(max(1, n_prompt_tokens), self._limits.n_batch - len(decodes))
        for sequence in prompts:
            n = min(room, sequence.n_pending)
            if n <= 0:
                break
            room -= n
            row += n
            entries.append(self._entry(sequence, n, row))
        return tuple(entries)

    @staticmethod
    def _entry(sequence: Sequence, n: int, row: int) -> Entry:
        if sequence.slot is None:
            raise AssertionError("a running sequence has a slot")
        start = sequence.n_computed
        tokens = sequence.tokens[start : start + n]
        return Entry(sequence, Chunk(sequence.slot, start, tokens, samples=start + n == len(sequence.tokens)), row)

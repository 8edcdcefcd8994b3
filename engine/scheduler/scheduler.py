"""Decides what the next decode computes. Pure: no clock, no thread, no llama.cpp."""

from __future__ import annotations

from collections.abc import Mapping

from engine.backend import Chunk, Limits
from engine.events import FinishReason
from engine.kv_cache.prefix_cache import CachedPrefix, PrefixCache, common_prefix_length
from engine.priority import BACKGROUND, WINDOW
from engine.scheduler.batch_plan import BatchEntry, BatchPlan, SampledToken, SnapshotIndex
from engine.scheduler.sequence import Sequence

WORTH_WAITING = 32
"""A prompt that shares so many tokens with one that is just being read waits for them."""


class Scheduler:
    """Sequences in, batch plans out. Call `plan`, do its moves, compute it, then `commit`.

    Decodes go first, then prompts; the window before the endpoint; within a priority, short prompts before long
    ones, with
    ageing (`Sequence.order`). Where the KV memory runs out, what nobody uses goes first, then the last in that order is
    preempted and resumed later; the first always goes on, so everyone is served in the end. Only background work is
    refused, where it would cost a chat its place and there is nobody to wait for.
    """

    def __init__(self, limits: Limits, ends: frozenset[int], snapshots: SnapshotIndex | None = None) -> None:
        self._limits = limits
        self._ends = ends
        self._snapshots = snapshots
        self._running: list[Sequence] = []
        self._waiting: list[Sequence] = []
        self._refused: list[Sequence] = []
        self._n_arrived = 0
        self._n_read = 0
        """Prompt tokens that were planned so far, for anyone."""
        self.cache = PrefixCache(limits)

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
    def window_is_decoding(self) -> bool:
        """Whether a person watches an answer being written."""
        return any(each.priority == WINDOW and each.n_output > 0 for each in self._running)

    @property
    def window_awaits_first_token(self) -> bool:
        """Whether a person waits for the first word of an answer, and no step must have a fixed size."""
        active = (*self._running, *self._waiting)
        waits = any(each.priority == WINDOW and not each.n_output for each in active)
        return waits and not any(each.is_deterministic and not each.n_output for each in self._running)

    def add(self, sequence: Sequence) -> None:
        """Queues a sequence. Its prompt must leave room for one token: 1 ≤ len(prompt) < n_cells."""
        if not 1 <= len(sequence.prompt) < self._limits.n_cells:
            raise ValueError(f"a prompt of {len(sequence.prompt)} tokens for {self._limits.n_cells} cells")
        sequence.arrival = self._n_arrived
        self._n_arrived += 1
        sequence.deadline = self._n_read + len(sequence.tokens) - self._n_known(sequence)
        self._wait(sequence)

    def remove(self, sequence: Sequence) -> None:
        """Takes a sequence out, wherever it stands; what it has computed stays for others. Idempotent."""
        if sequence in self._waiting:
            self._waiting.remove(sequence)
        elif sequence in self._running:
            self._release(sequence)

    def plan(self, n_prompt_tokens: int) -> BatchPlan:
        """The next step, with at most `n_prompt_tokens` of prompts; where nothing else can go on, at least one.

        Empty only when idle, or where somebody was refused."""
        self._admit()
        self._keep_copies()
        shares = self._decodes()
        writing = set(shares)
        self._add_prompts(shares, n_prompt_tokens if shares else max(1, n_prompt_tokens))
        entries, row = [], -1
        for sequence, chunk in shares.items():
            row += len(chunk.tokens)
            entries.append(BatchEntry(sequence, chunk, row, sequence in writing))
        return BatchPlan(self.cache.take_ops(), tuple(entries))

    def commit(self, plan: BatchPlan, sampled: Mapping[str, int]) -> list[SampledToken]:
        """Books a computed plan; `sampled` holds a token for each entry that asked for one, except where its sequence
        is about to be removed."""
        outcomes = []
        for entry in plan.entries:
            sequence = entry.sequence
            sequence.n_computed += len(entry.chunk.tokens)
            if entry.chunk.samples and sequence.id in sampled:
                outcomes.append(self._append(sequence, sampled[sequence.id]))
        return outcomes

    def retokenize(self, sequence: Sequence, at: int, tokens: list[int]) -> None:
        """Puts `tokens` in the place of those from `at` on, which say the same. What was computed of these goes, and
        a step follows in which the new ones are. Between two steps, where memory cuts freely."""
        sequence.tokens[at:] = tokens
        if sequence.n_computed > at:
            sequence.n_computed = at
            self.cache.cut(_place(sequence), at)

    def roll_back(self, plan: BatchPlan) -> None:
        """Takes back a plan whose decode found no room; its moves were done."""
        for entry in plan.entries:
            if entry.sequence.prefix is not None:
                self.cache.shrink(entry.sequence.prefix, entry.sequence.n_computed)

    def preempt(self) -> bool:
        """Takes the last in order off its place, to come back later. False where nobody else could go on."""
        if len(self._running) < 2:
            return False
        self._put_back(self._running[-1])
        return True

    def free_kv_space(self) -> bool:
        """Where a decode found no room all the same: what nobody uses goes, else the last in order. False where that
        helps nobody."""
        if self.cache.evict(asker=self._running[0].priority) or self.preempt():
            return True
        if self._running[0].priority == BACKGROUND:
            self._refuse(self._running[0])
            return True
        return False

    def take_rejected(self) -> list[Sequence]:
        """Background work that found no room, since the last call; it is no longer here."""
        refused, self._refused = self._refused, []
        return refused

    def forget(self, slot: int) -> None:
        """A restore into `slot` failed: it holds nothing, and whoever runs on it begins anew."""
        for sequence in [each for each in self._running if each.prefix is not None and each.prefix.slot == slot]:
            self._put_back(sequence)
            sequence.n_cached = 0
        for prefix in [prefix for prefix in self.cache.prefixes if prefix.slot == slot]:
            self.cache.drop(prefix)

    def _n_known(self, sequence: Sequence) -> int:
        """Tokens of its prompt that are in the cache or in a snapshot now."""
        wanted = sequence.tokens[:-1]
        if not wanted or sequence.needs_all_logits or not sequence.uses_cache:
            return 0
        snapshot = self._snapshots.find(wanted) if self._snapshots is not None else None
        return max(
            self.cache.match(wanted)[1], common_prefix_length(snapshot[1], wanted) if snapshot is not None else 0
        )

    def _wait(self, sequence: Sequence) -> None:
        sequence.waits_for = "slot"
        self._waiting.append(sequence)
        self._waiting.sort(key=lambda each: each.order)

    def _put_back(self, sequence: Sequence) -> None:
        self._release(sequence)
        sequence.n_computed = 0
        self._wait(sequence)

    def _release(self, sequence: Sequence) -> None:
        self._running.remove(sequence)
        prefix = _place(sequence)
        self.cache.shrink(prefix, sequence.n_computed)
        self.cache.release(prefix)
        sequence.prefix = None

    def _append(self, sequence: Sequence, token: int) -> SampledToken:
        sequence.tokens.append(token)
        sequence.n_output += 1
        finish: FinishReason | None = None
        if token in self._ends:
            finish = "stop"
        elif (
            sequence.n_output >= sequence.max_tokens or len(sequence.prompt) + sequence.n_output > self._limits.n_cells
        ):
            finish = "length"
        if finish:
            self.remove(sequence)
        return SampledToken(sequence, token, finish)

    def _admit(self) -> None:
        for sequence in self._running:
            sequence.inherited_order = None
        for sequence in list(self._waiting):
            if (reader := self._reader_of(sequence)) is not None:
                sequence.waits_for = "shared_prompt"
                reader.inherited_order = min(sequence.order, reader.inherited_order or sequence.order)
                continue
            sequence.waits_for = "slot"
            while not (prefix := self._find_place(sequence)) and self._outranks_last(sequence):
                self._put_back(self._running[-1])
            if prefix is None and sequence.priority == BACKGROUND and not self._running:
                self._refuse(sequence)
                continue
            if prefix is None:
                return
            self._waiting.remove(sequence)
            sequence.prefix = prefix
            prefix.owner = sequence.owner
            prefix.n_prompt = len(sequence.prompt)
            sequence.n_computed = len(prefix.tokens)
            if not sequence.has_run:
                sequence.has_run, sequence.n_cached = True, min(sequence.n_computed, len(sequence.prompt))
            sequence.checkpoint_lengths = self._worth_keeping(sequence)
            self._running.append(sequence)
            self._running.sort(key=lambda each: each.order)

    def _refuse(self, sequence: Sequence) -> None:
        self.remove(sequence)
        self._refused.append(sequence)

    def _worth_keeping(self, sequence: Sequence) -> list[int]:
        """Where others are likely to go on, if memory cannot go back there later: at the prompt's end, and where
        another one that is known turned off."""
        if self._limits.supports_full_rollback:
            return []
        prompt = list(sequence.prompt[:-1])
        known = [prefix.tokens for prefix in self.cache.prefixes if prefix is not sequence.prefix]
        asked = [each.tokens for each in (*self._waiting, *self._running)]
        turns = (max((common_prefix_length(each, prompt) for each in others), default=0) for others in (known, asked))
        return sorted({n for n in (*turns, len(prompt)) if n >= max(WORTH_WAITING, sequence.n_computed)})

    def _keep_copies(self) -> None:
        for sequence in self._running:
            while sequence.checkpoint_lengths and sequence.checkpoint_lengths[0] <= sequence.n_computed:
                if sequence.checkpoint_lengths.pop(0) == sequence.n_computed:
                    self.cache.keep(_place(sequence))

    def _reader_of(self, sequence: Sequence) -> Sequence | None:
        """The running sequence that computes a prefix which this one shares, so that waiting for it costs less."""
        limit = len(sequence.tokens) - 1
        if sequence.needs_all_logits or not sequence.uses_cache or limit < WORTH_WAITING:
            return None
        for other in self._running:
            if other.priority <= sequence.priority and other.n_computed < len(other.prompt):
                shared = min(common_prefix_length(other.tokens, sequence.tokens), limit)
                if not self._limits.supports_full_rollback:
                    shared = max((n for n in other.checkpoint_lengths if n <= shared), default=0)
                if shared >= WORTH_WAITING and self.cache.match(sequence.tokens[:limit])[1] < shared:
                    return other
        return None

    def _find_place(self, sequence: Sequence) -> CachedPrefix | None:
        """A prefix for it, with as much of its tokens computed as is known anywhere; None where there is no room."""
        if len(self._running) >= self._limits.n_running:
            return None
        wanted = sequence.tokens[:-1]  # the last one is computed anew, for its logits
        knows = bool(wanted) and not sequence.needs_all_logits and sequence.uses_cache
        source, n = self.cache.match(wanted) if knows else (None, 0)
        snapshot = self._snapshots.find(wanted) if knows and self._snapshots is not None else None
        if snapshot is not None:
            key, held = snapshot
            usable = common_prefix_length(held, wanted)
            if usable > n + WORTH_WAITING and (self._limits.supports_full_rollback or usable == len(held)):
                return self._restored(sequence, key, held, usable)
        if source is not None and self._has_room(sequence, len(sequence.tokens) - n, keep=source):
            return self.cache.reuse(source, n, sequence.priority, gives_up=_is_repeated(sequence, source, n))
        if sequence.is_deterministic and not sequence.uses_cache:
            self._make_place_of(sequence)
        return self.cache.open(sequence.priority) if self._has_room(sequence, len(sequence.tokens)) else None

    def _make_place_of(self, sequence: Sequence) -> None:
        """Drops the cells of an earlier run of the same prompt, so that it is computed in the same cells: in others
        sums round differently."""
        source, n = self.cache.match(sequence.tokens[:-1]) if len(sequence.tokens) > 1 else (None, 0)
        if source is not None and not source.in_use and _is_repeated(sequence, source, n):
            self.cache.drop(source)

    def _restored(self, sequence: Sequence, key: str, held: list[int], n: int) -> CachedPrefix | None:
        if not self._has_room(sequence, max(len(held), len(sequence.tokens))):
            return None
        prefix = self.cache.open(sequence.priority)
        if prefix is not None:
            self.cache.restore(prefix, key, held, n)
        return prefix

    def _has_room(self, sequence: Sequence, n_cells: int, keep: CachedPrefix | None = None) -> bool:
        """Whether so many tokens of it fit beside all that the running ones will still need: whole prompts count from
        the start, and a cell for each that writes, so that a place taken now is not lost at the next token."""
        promised = sum(each.n_pending + 1 for each in self._running)
        return self.cache.make_room(n_cells + promised + (1 if self._running else 0), keep, sequence.priority)

    def _outranks_last(self, sequence: Sequence) -> bool:
        """The window takes an endpoint sequence's place, and that of a longer prompt of the window of which nothing has
        been answered yet."""
        if not self._running or sequence.priority != WINDOW:
            return False
        last = self._running[-1]
        return last.priority > WINDOW or (not last.n_output and not last.writes and sequence.order < last.order)

    def _decodes(self) -> dict[Sequence, Chunk]:
        shares: dict[Sequence, Chunk] = {}
        for sequence in [each for each in self._running if each.writes]:
            n = sequence.n_pending
            if sequence in self._running and self._reserve(sequence, n, shares):
                shares[sequence] = self._chunk(sequence, n)
        return shares

    def _add_prompts(self, shares: dict[Sequence, Chunk], n_prompt_tokens: int) -> None:
        room = min(n_prompt_tokens, self._limits.n_batch - sum(len(chunk.tokens) for chunk in shares.values()))
        outputs = self._limits.n_outputs - self._limits.n_running
        readers = [each for each in self._running if not each.writes and each not in shares]
        for sequence in sorted(readers, key=lambda each: each.prefill_order):
            n = min(room, sequence.n_to_prefill, outputs if sequence.needs_all_logits else room)
            sequence.waits_for = "other_prompts"
            if n > 0 and sequence in self._running and self._reserve(sequence, n, shares):
                shares[sequence] = self._chunk(sequence, n)
                self._n_read += n
                room -= n
                outputs -= n if sequence.needs_all_logits else 0

    def _reserve(self, sequence: Sequence, n: int, shares: dict[Sequence, Chunk]) -> bool:
        """Finds `n` free cells, at the cost of what nobody uses, then of those who come after `sequence`."""
        while not self.cache.make_room(n, asker=sequence.priority):
            last = self._running[-1]
            if last is sequence:
                if sequence.priority == BACKGROUND and len(self._running) == 1:
                    self._refuse(sequence)
                return False
            shares.pop(last, None)
            self._put_back(last)
        return True

    def _chunk(self, sequence: Sequence, n: int) -> Chunk:
        start = sequence.n_computed
        tokens = sequence.tokens[start : start + n]
        prefix = _place(sequence)
        self.cache.extend(prefix, tokens)
        samples = start + n == len(sequence.tokens)
        sequence.waits_for = None
        return Chunk(
            prefix.slot,
            start,
            tokens,
            samples,
            needs_all_logits=sequence.needs_all_logits and start < len(sequence.prompt),
        )


def _is_repeated(sequence: Sequence, source: CachedPrefix, n: int) -> bool:
    """Whether `source` holds the same prompt and its answer, which a repeatable sequence would write again. What a
    higher priority left is not touched."""
    n_prompt = len(sequence.prompt)
    is_same = n == n_prompt - 1 and source.n_prompt == n_prompt and sequence.n_output == 0
    return sequence.is_deterministic and is_same and sequence.priority <= source.priority


def _place(sequence: Sequence) -> CachedPrefix:
    if sequence.prefix is None:
        raise AssertionError("a running sequence has a place")
    return sequence.prefix

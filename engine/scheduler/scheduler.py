"""Decides what the next decode computes. This module uses no clock, no thread and no llama.cpp."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.adapter import AdapterScales
from engine.backend import Chunk, Limits
from engine.events import FinishReason
from engine.kv_memory import CachedPrefix, KvMemory, SnapshotIndex
from engine.priority import Priority
from engine.scheduler.adapter_turns import AdapterTurns
from engine.scheduler.prefill_budget import AWAITED, ENDPOINT_ANSWER, LONE, SHARED, WINDOW_ANSWER, Pace
from engine.scheduler.prompt_burst import PromptBurst
from engine.scheduler.prompt_shares import PromptShares
from engine.scheduler.reuse import PrefixReuse
from engine.scheduler.sequence import BatchEntry, BatchPlan, SequenceState


class Scheduler:
    """Turns sequences into batch plans, one for each decode. Call `plan`, execute the plan's operations, decode its
    entries, call `append` for each sampled token, then call `commit`, then `remove` for each sequence that has ended.

    A plan contains first the sequences that are decoding, then prompts in `SequenceState.order`. If the KV memory is
    full, idle prefixes are evicted. If that is not enough, the running sequence that is last in order is preempted and
    resumed later. The first sequence in order always proceeds, so every sequence finishes. Only background work can be
    rejected: when it would have to evict the prefix of a chat in the app's window and there is no other sequence to
    wait for.
    """

    def __init__(
        self,
        limits: Limits,
        eog_tokens: frozenset[int],
        cache: KvMemory,
        snapshots: SnapshotIndex | None = None,
        adapter_scales: AdapterScales = (),
    ) -> None:
        """`adapter_scales` are those of the context when it was opened."""
        self._limits = limits
        self._eog_tokens = eog_tokens
        self._cache = cache
        self._running: list[SequenceState] = []
        self._waiting: list[SequenceState] = []
        self._rejected: list[SequenceState] = []
        self._snapshots = snapshots
        self._reuse = PrefixReuse(limits, cache, snapshots, self._running, self._waiting)
        self._n_arrived = 0
        self.n_draft_tokens = limits.n_outputs
        """Maximum number of draft tokens in a step."""
        self._n_prefilled = 0
        """Number of prompt tokens planned so far, for all sequences."""
        self._prompt_shares = PromptShares()
        self._burst = PromptBurst()
        self._adapter_turns = AdapterTurns(adapter_scales)

    @property
    def running(self) -> tuple[SequenceState, ...]:
        """The running sequences, sorted by `SequenceState.order`."""
        return tuple(self._running)

    @property
    def waiting(self) -> tuple[SequenceState, ...]:
        """The waiting sequences, sorted by `SequenceState.order`."""
        return tuple(self._waiting)

    @property
    def adapter_scales(self) -> AdapterScales:
        """The scales with which everything in KV memory was computed."""
        return self._adapter_turns.current

    @property
    def idle(self) -> bool:
        return not self._running and not self._waiting

    @property
    def window_is_decoding(self) -> bool:
        """Whether an answer in the app's window is being generated."""
        return any(each.priority == Priority.WINDOW and each.n_output > 0 for each in self._running)

    @property
    def n_prompt_tokens_left(self) -> int:
        """Number of prompt tokens that the next steps may have, whatever `plan` is called with, before the running
        answers are decoded."""
        return self._burst.n_left

    @property
    def pace(self) -> Pace:
        """Limits of the next step, which follow from who waits for its end."""
        pace = self._pace_of_requests()
        if pace.decode_share and not any(each.n_output and each.is_decoding for each in self._running):
            # All answers are computed again after a preemption, so there are no steps without prompt tokens.
            return replace(pace, decode_share=0.0)
        return pace

    def _pace_of_requests(self) -> Pace:
        if self.window_is_decoding:
            return WINDOW_ANSWER
        active = (*self._running, *self._waiting)
        prompts = [each for each in active if not each.n_output and each.waits_for != "shared_prompt"]
        of_window = [each for each in prompts if each.priority == Priority.WINDOW]
        if any(each.n_output and each.priority == Priority.ENDPOINT for each in self._running):
            return SHARED if of_window else ENDPOINT_ANSWER
        if len(prompts) > 1:
            return SHARED
        # The steps of a deterministic prompt that is alone must not change in size.
        return AWAITED if of_window and not of_window[0].is_deterministic else LONE

    def add(self, sequence: SequenceState) -> None:
        """Queues a sequence. Raises ValueError unless 1 ≤ len(prompt) < n_cells."""
        if not 1 <= len(sequence.prompt) < self._limits.n_cells:
            raise ValueError(f"a prompt of {len(sequence.prompt)} tokens for {self._limits.n_cells} cells")
        sequence.arrival = self._n_arrived
        self._n_arrived += 1
        sequence.deadline = self._n_prefilled + len(sequence.tokens) - self._reuse.n_known(sequence)
        self._enqueue(sequence)

    def remove(self, sequence: SequenceState) -> None:
        """Removes a running or waiting sequence. Its computed tokens remain cached. Idempotent."""
        if sequence in self._waiting:
            self._waiting.remove(sequence)
        elif sequence in self._running:
            self._release(sequence)

    def switch_adapters(self) -> AdapterScales | None:
        """Returns other adapter scales if the next step uses others than the last one. Sequences with the previous
        scales then wait, and all prefixes leave KV memory: execute the cache's operations before the scales are set.
        Call this before each `plan`."""
        turns = self._adapter_turns
        scales = turns.next(self._running, self._waiting, self._can_pause)
        if scales == turns.current:
            return None
        for sequence in list(self._running):
            self._requeue(sequence)
        self._reuse.placement.clear()
        turns.begin(scales, self._waiting)
        return scales

    def _can_pause(self) -> bool:
        """Whether host memory has room for the states of all running sequences."""
        return self._snapshots is not None and self._snapshots.fits(sum(len(each.tokens) for each in self._running))

    def plan(self, n_prompt_tokens: int, n_beside_first_token: int | None = None) -> BatchPlan:
        """Returns the plan of the next decode. It has at most `n_prompt_tokens` prompt tokens, but at least one if
        nothing else can proceed. Several plans may share them, without those answers that pause (see `PromptBurst`).
        If the first token of an answer is sampled in it, it completes other prompts up to a total of
        `n_beside_first_token` prompt tokens, and contains no part of longer ones. A sequence that runs alone from its
        first token on gets as many as fit in a batch, up to a multiple of `Limits.prompt_cut`, instead.

        The plan has no entries only if there is no sequence, or if one was rejected."""
        self._admit_again()
        self._admit_waiting()
        self._reuse.placement.compact(self._running, window_is_decoding=self.window_is_decoding)
        self._take_checkpoints()
        ops = self._cache.take_ops()
        n_allowed = self._burst.begin_step(self._running, n_prompt_tokens)
        chunks = self._decode_chunks()
        decoding = set(chunks)
        n_prompt_tokens = n_allowed if chunks else max(1, n_allowed)
        n_beside = n_prompt_tokens if n_beside_first_token is None else n_beside_first_token
        self._add_prompt_chunks(chunks, n_prompt_tokens, n_beside)
        if not chunks:  # there is no room for the prompt for which answers pause
            self._burst.end()
            chunks = self._decode_chunks()
            decoding = set(chunks)
        late_ops = self._cache.take_ops()
        if late_ops:
            self._reassign_cells(chunks)
        entries, row = [], -1
        for sequence, chunk in chunks.items():
            row += len(chunk.tokens)
            entries.append(BatchEntry(sequence, chunk, row, sequence in decoding))
        plan = BatchPlan((*ops, *late_ops), tuple(entries), self._is_alone(chunks))
        self._burst.computed(plan.n_prompt_tokens)
        return plan

    def _is_alone(self, chunks: Mapping[SequenceState, Chunk]) -> bool:
        """See `BatchPlan.is_alone`. Determined for prompts only; it takes longer than a decode step may."""
        if len(self._running) != 1 or not chunks or self._running[0].is_decoding:
            return False
        return self._cache.is_alone(_prefix_of(self._running[0]))

    def append(self, sequence: SequenceState, token: int) -> FinishReason | None:
        """Appends a sampled token to a sequence. If it is the last one, returns why; "stop" means an end-of-generation
        token, which is not part of the answer's text."""
        sequence.tokens.append(token)
        sequence.n_output += 1
        if token in self._eog_tokens:
            return "stop"
        fills_context = len(sequence.prompt) + sequence.n_output > self._limits.n_cells
        return "length" if sequence.n_output >= sequence.max_tokens or fills_context else None

    def commit(self, plan: BatchPlan) -> None:
        """Records the results of a decoded plan, after the sampled tokens were appended.

        The draft tokens of an entry that were sampled again are kept, and the others are removed from the KV memory by
        an operation of the next plan."""
        for entry in plan.entries:
            sequence = entry.sequence
            sequence.draft = []
            if plan.is_alone:
                self._record_exactness(sequence, entry.n_certain)
            sequence.was_interrupted = False
            sequence.n_computed += entry.n_certain
            if entry.chunk.n_drafted:
                n_sampled = len(sequence.tokens) - sequence.n_computed
                sequence.n_computed += max(0, n_sampled - 1)
                self._cache.truncate(_prefix_of(sequence), sequence.n_computed)

    def _record_exactness(self, sequence: SequenceState, n: int) -> None:
        prefix, start = _prefix_of(sequence), sequence.n_computed
        if start + n < len(sequence.prompt):
            prefix.exactness = prefix.exactness.extended(
                start, start + n, len(sequence.prompt), self._limits.prompt_cut
            )

    def retokenize(self, sequence: SequenceState, start: int, tokens: list[int]) -> None:
        """Replaces the tokens of a sequence from index `start` on by `tokens`, which have the same text. The next step
        computes them.

        Call this between two steps, and only if the memory supports full rollback."""
        sequence.tokens[start:] = tokens
        if sequence.n_computed > start:
            sequence.n_computed = start
            self._cache.truncate(_prefix_of(sequence), start)

    def roll_back(self, plan: BatchPlan, *, interrupted: bool = False) -> None:
        """Undoes a plan whose operations were executed but whose entries were not decoded. `interrupted`: whether their
        decode was interrupted."""
        self._n_prefilled -= plan.n_prompt_tokens
        for entry in plan.entries:
            entry.sequence.was_interrupted = interrupted
            if entry.sequence.prefix is not None:
                self._cache.unreserve(entry.sequence.prefix, entry.sequence.n_computed)

    def preempt(self) -> bool:
        """Moves the running sequence that is last in order back to the queue. Returns False if it is the only running
        one."""
        if len(self._running) < 2:
            return False
        self._requeue(self._running[-1])
        return True

    def free_kv_space(self) -> bool:
        """Frees KV memory after a decode failed for lack of it: evicts an idle prefix, or else preempts a sequence, or
        else rejects a background sequence. Returns False if none of these is possible."""
        if self._cache.evict(requester=self._running[0].priority) or self.preempt():
            return True
        if self._running[0].priority == Priority.BACKGROUND:
            self._reject(self._running[0])
            return True
        return False

    def take_rejected(self) -> list[SequenceState]:
        """Returns the sequences that were rejected, and thereby removed, since the last call."""
        rejected, self._rejected = self._rejected, []
        return rejected

    def invalidate_slot(self, slot: int) -> None:
        """Drops the prefix of `slot`, because the slot's contents are invalid. A sequence that runs on the prefix
        starts over."""
        for sequence in [each for each in self._running if each.prefix is not None and each.prefix.slot == slot]:
            self._requeue(sequence)
            sequence.n_cached = 0
        for prefix in [prefix for prefix in self._cache.prefixes if prefix.slot == slot]:
            self._cache.drop(prefix)

    def _enqueue(self, sequence: SequenceState) -> None:
        sequence.waits_for = "slot"
        self._waiting.append(sequence)
        self._waiting.sort(key=lambda each: each.order)

    def _requeue(self, sequence: SequenceState) -> None:
        self._release(sequence)
        sequence.n_computed = 0
        self._enqueue(sequence)

    def _release(self, sequence: SequenceState) -> None:
        self._running.remove(sequence)
        sequence.draft = []
        prefix = _prefix_of(sequence)
        self._cache.unreserve(prefix, sequence.n_computed)
        self._cache.release(prefix)
        sequence.prefix = None

    def _reject(self, sequence: SequenceState) -> None:
        self.remove(sequence)
        self._rejected.append(sequence)

    def _admit_again(self) -> None:
        """Moves the only running sequence back to the queue if other sequences have arrived and it computes cached
        tokens again, which it need not do beside others, unless most of them are computed."""
        if len(self._running) == 1 and self._running[0].recomputes and self._admissible():
            self._requeue(self._running[0])

    def _admissible(self) -> list[SequenceState]:
        """The waiting sequences that may run now, with regard to their adapter scales."""
        turns = self._adapter_turns
        return [each for each in self._waiting if each.adapter_scales == turns.current and not turns.is_ending]

    def _admit_waiting(self) -> None:
        """Admits waiting sequences, in order, until there is no KV memory for the next one."""
        for sequence in self._running:
            sequence.inherited_order = None
        for sequence in self._admissible():
            if (other := self._reuse.shared_prompt_in_progress(sequence)) is not None:
                sequence.waits_for = "shared_prompt"
                other.inherited_order = min(sequence.order, other.inherited_order or sequence.order)
                continue
            sequence.waits_for = "slot"
            while not (prefix := self._reuse.find(sequence)) and self._may_preempt_last(sequence):
                self._requeue(self._running[-1])
            if prefix is None and sequence.priority == Priority.BACKGROUND and not self._running:
                self._reject(sequence)
                continue
            if prefix is None:
                return
            self._start(sequence, prefix)

    def _start(self, sequence: SequenceState, prefix: CachedPrefix) -> None:
        self._waiting.remove(sequence)
        sequence.prefix = prefix
        prefix.owner = sequence.owner
        prefix.n_prompt = len(sequence.prompt)
        sequence.n_computed = len(prefix.tokens)
        if not sequence.was_admitted:
            sequence.was_admitted, sequence.n_cached = True, min(sequence.n_computed, len(sequence.prompt))
        sequence.checkpoint_lengths = [n for n in sequence.checkpoint_lengths if n >= sequence.n_computed]
        self._running.append(sequence)
        self._running.sort(key=lambda each: each.order)

    def _take_checkpoints(self) -> None:
        for sequence in self._running:
            while sequence.checkpoint_lengths and sequence.checkpoint_lengths[0] <= sequence.n_computed:
                if sequence.checkpoint_lengths.pop(0) == sequence.n_computed:
                    self._cache.checkpoint(_prefix_of(sequence))

    def _may_preempt_last(self, sequence: SequenceState) -> bool:
        """Whether the last running sequence may be preempted for `sequence`. Only a request from the app's window may
        preempt another one. It may preempt requests of lower priority, and requests from the window that are later in
        order and have no output yet."""
        if not self._running or sequence.priority != Priority.WINDOW:
            return False
        last = self._running[-1]
        return last.priority > Priority.WINDOW or (
            not last.n_output and not last.is_decoding and sequence.order < last.order
        )

    def _decode_chunks(self) -> dict[SequenceState, Chunk]:
        chunks: dict[SequenceState, Chunk] = {}
        decoding = [each for each in self._running if each.is_decoding and not self._burst.pauses(each)]
        n_drafted = self._draft_lengths(decoding)
        for sequence in decoding:
            n = sequence.n_pending
            if sequence.prefix is not None and self._reserve(sequence, n, chunks):
                chunks[sequence] = self._chunk(sequence, n, n_drafted.get(sequence, 0))
        return chunks

    def _draft_lengths(self, decoding: list[SequenceState]) -> dict[SequenceState, int]:
        """Returns the number of draft tokens to verify for each sequence that has some.

        They get only what is left of the batch, of the rows with logits and of the free cells when every running
        sequence has what it needs. What is left is divided equally; short drafts leave their rest to longer ones."""
        drafting = sorted((each for each in decoding if each.draft), key=lambda each: len(each.draft))
        if not drafting or any(each.needs_all_logits and each.n_computed < len(each.prompt) for each in self._running):
            return {}
        n_pending = sum(each.n_pending for each in decoding)
        n_promised = sum(each.n_pending + 1 for each in self._running)
        n_wanted = sum(len(each.draft) for each in drafting)
        self._cache.ensure_free_cells(n_promised + n_wanted, requester=max(each.priority for each in drafting))
        room = min(
            self.n_draft_tokens,
            self._limits.n_batch - n_pending,
            self._limits.n_outputs - len(self._running),
            self._cache.n_free - n_promised,
        )
        lengths = {}
        for n_done, sequence in enumerate(drafting):
            n_left = sequence.max_tokens - sequence.n_output - 1
            n = max(0, min(len(sequence.draft), n_left, room // (len(drafting) - n_done)))
            lengths[sequence] = n
            room -= n
        return lengths

    def _add_prompt_chunks(
        self, chunks: dict[SequenceState, Chunk], n_prompt_tokens: int, n_beside_first_token: int
    ) -> None:
        prefilling = [each for each in self._running if not each.is_decoding and each not in chunks]
        if not prefilling:
            return
        if len(self._running) == 1 and _stays_exact(prefilling[0]):
            # Without full rollback, the step cannot be interrupted.
            n_max = self._limits.n_batch if self._limits.supports_full_rollback else self._limits.prompt_cut
            shares = {prefilling[0]: prefilling[0].n_to_prefill_alone(self._limits.prompt_cut, n_max)}
        else:
            shares = self._divide(prefilling, chunks, n_prompt_tokens, n_beside_first_token)
        for sequence in prefilling:
            sequence.waits_for = "other_prompts"
            n = shares.get(sequence, 0)
            if n and sequence.prefix is not None and self._reserve(sequence, n, chunks):
                chunks[sequence] = self._chunk(sequence, n)
                self._n_prefilled += n

    def _divide(
        self,
        prefilling: list[SequenceState],
        chunks: Mapping[SequenceState, Chunk],
        n_prompt_tokens: int,
        n_beside_first_token: int,
    ) -> dict[SequenceState, int]:
        prefilling.sort(key=lambda each: each.prefill_order)
        room = min(n_prompt_tokens, self._limits.n_batch - sum(len(chunk.tokens) for chunk in chunks.values()))
        n_outputs = self._limits.n_outputs - self._limits.n_running
        has_first_token = any(not each.n_output for each in chunks)
        return self._prompt_shares.divide(
            prefilling, room, n_outputs, n_beside_first_token, has_first_token=has_first_token
        )

    def _reserve(self, sequence: SequenceState, n: int, chunks: dict[SequenceState, Chunk]) -> bool:
        """Ensures that `n` cells are free. Evicts idle prefixes first. Then preempts the sequences that are after
        `sequence` in order, the last one first, and removes their chunks from the plan. Returns False if that is not
        enough."""
        while not self._cache.ensure_free_cells(n, requester=sequence.priority):
            last = self._running[-1]
            if last is sequence:
                if sequence.priority == Priority.BACKGROUND and len(self._running) == 1:
                    self._reject(sequence)
                return False
            chunks.pop(last, None)
            self._requeue(last)
        return True

    def _reassign_cells(self, chunks: Mapping[SequenceState, Chunk]) -> None:
        """Assigns cells in the order of the batch, because prefixes were evicted after the first ones were assigned."""
        for sequence in chunks:
            self._cache.unreserve(_prefix_of(sequence), sequence.n_computed)
        for sequence, chunk in chunks.items():
            self._cache.reserve(_prefix_of(sequence), chunk.tokens)

    def _chunk(self, sequence: SequenceState, n: int, n_drafted: int = 0) -> Chunk:
        """Returns a chunk of the next `n` tokens of a sequence, followed by the first `n_drafted` tokens of its
        draft."""
        start = sequence.n_computed
        tokens = sequence.tokens[start : start + n] + sequence.draft[:n_drafted]
        prefix = _prefix_of(sequence)
        self._cache.reserve(prefix, tokens)
        sequence.waits_for = None
        return Chunk(
            prefix.slot,
            start,
            tokens,
            sample_last=start + n == len(sequence.tokens),
            needs_all_logits=sequence.needs_all_logits and start < len(sequence.prompt),
            n_drafted=n_drafted,
        )


def _stays_exact(sequence: SequenceState) -> bool:
    """Whether all computed tokens of a sequence have an exact state (see `engine.kv_memory.Exactness`), and the next
    ones will have one if it runs alone."""
    return sequence.n_computed == _prefix_of(sequence).exactness.n_exact and not sequence.needs_all_logits


def _prefix_of(sequence: SequenceState) -> CachedPrefix:
    if sequence.prefix is None:
        raise AssertionError("a running sequence has a prefix")
    return sequence.prefix

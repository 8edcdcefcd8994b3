"""Decides what the next decode computes. This module uses no clock, no thread and no llama.cpp."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from engine.backend import Chunk, Limits
from engine.events import FinishReason
from engine.kv_memory import (
    MIN_HOST_TOKENS,
    CachedPrefix,
    KvMemory,
    SavedPrefix,
    SnapshotIndex,
    common_prefix_length,
    usable_length,
)
from engine.priority import Priority
from engine.scheduler.placement import KvPlacement
from engine.scheduler.prefill_budget import AWAITED, ENDPOINT_ANSWER, LONE, SHARED, WINDOW_ANSWER, Pace
from engine.scheduler.prompt_burst import PromptBurst
from engine.scheduler.prompt_shares import PromptShares
from engine.scheduler.sequence import BatchEntry, BatchPlan, SequenceState

COPIED_PER_COMPUTED = 256
"""Number of tokens whose KV state is copied in less time than one token is computed."""

MIN_SHARED_TOKENS = 32
"""Minimum number of common tokens for which a sequence waits until another sequence has computed them."""


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
        self, limits: Limits, eog_tokens: frozenset[int], cache: KvMemory, snapshots: SnapshotIndex | None = None
    ) -> None:
        self._limits = limits
        self._eog_tokens = eog_tokens
        self._cache = cache
        self._snapshots = snapshots
        self._placement = KvPlacement(limits, cache, snapshots)
        self._running: list[SequenceState] = []
        self._waiting: list[SequenceState] = []
        self._rejected: list[SequenceState] = []
        self._n_arrived = 0
        self.n_draft_tokens = limits.n_outputs
        """Maximum number of draft tokens in a step."""
        self._n_prefilled = 0
        """Number of prompt tokens planned so far, for all sequences."""
        self._prompt_shares = PromptShares()
        self._burst = PromptBurst()

    @property
    def running(self) -> tuple[SequenceState, ...]:
        """The running sequences, sorted by `SequenceState.order`."""
        return tuple(self._running)

    @property
    def waiting(self) -> tuple[SequenceState, ...]:
        """The waiting sequences, sorted by `SequenceState.order`."""
        return tuple(self._waiting)

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
        sequence.deadline = self._n_prefilled + len(sequence.tokens) - self._n_known(sequence)
        self._enqueue(sequence)

    def remove(self, sequence: SequenceState) -> None:
        """Removes a running or waiting sequence. Its computed tokens remain cached. Idempotent."""
        if sequence in self._waiting:
            self._waiting.remove(sequence)
        elif sequence in self._running:
            self._release(sequence)

    def plan(self, n_prompt_tokens: int, n_beside_first_token: int | None = None) -> BatchPlan:
        """Returns the plan of the next decode. It has at most `n_prompt_tokens` prompt tokens, but at least one if
        nothing else can proceed. Several plans may share them, without those answers that pause (see `PromptBurst`).
        If the first token of an answer is sampled in it, it completes other prompts up to a total of
        `n_beside_first_token` prompt tokens, and contains no part of longer ones. A sequence that runs alone from its
        first token on gets those up to the next multiple of `Limits.prompt_cut` instead.

        The plan has no entries only if there is no sequence, or if one was rejected."""
        self._admit_again()
        self._admit_waiting()
        self._placement.compact(self._running, window_is_decoding=self.window_is_decoding)
        self._take_checkpoints()
        ops = self._cache.take_ops()
        n_allowed = self._burst.begin_step(self._running, n_prompt_tokens)
        chunks = self._decode_chunks()
        decoding = set(chunks)
        n_prompt_tokens = n_allowed if chunks else max(1, n_allowed)
        n_beside = n_prompt_tokens if n_beside_first_token is None else n_beside_first_token
        self._add_prompt_chunks(chunks, n_prompt_tokens, n_beside)
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

    def _n_known(self, sequence: SequenceState) -> int:
        """Number of the sequence's tokens that are cached or in a KV snapshot."""
        wanted = sequence.tokens[:-1]
        if not wanted or sequence.needs_all_logits or not sequence.uses_cache:
            return 0
        _, n_cached = self._cache.match(wanted)
        saved = self._snapshots.find(wanted) if self._snapshots is not None else None
        return max(n_cached, common_prefix_length(saved.tokens, wanted) if saved is not None else 0)

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
        if len(self._running) == 1 and self._waiting:
            sequence = self._running[0]
            if sequence.recomputes:
                self._requeue(sequence)

    def _admit_waiting(self) -> None:
        """Admits waiting sequences, in order, until there is no KV memory for the next one."""
        for sequence in self._running:
            sequence.inherited_order = None
        for sequence in list(self._waiting):
            if (other := self._shared_prompt_in_progress(sequence)) is not None:
                sequence.waits_for = "shared_prompt"
                other.inherited_order = min(sequence.order, other.inherited_order or sequence.order)
                continue
            sequence.waits_for = "slot"
            while not (prefix := self._find_prefix(sequence)) and self._may_preempt_last(sequence):
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

    def _checkpoint_lengths(self, sequence: SequenceState) -> list[int]:
        """Lengths at which a copy of the sequence's prefix is kept, because other requests are likely to continue from
        there: the end of the prompt, and where the prompt diverges from a cached prefix or from another sequence. Empty
        if the memory supports full rollback."""
        if self._limits.supports_full_rollback:
            return []
        prompt = list(sequence.prompt[:-1])
        cached = [prefix.tokens for prefix in self._cache.prefixes]
        active = [each.tokens for each in (*self._waiting, *self._running) if each is not sequence]
        saved = [] if self._snapshots is None else self._snapshots.token_lists()
        groups = (cached, active, saved)
        shared = (max((common_prefix_length(each, prompt) for each in group), default=0) for group in groups)
        cut = self._limits.prompt_cut if self._must_be_exact(sequence) else 1
        return sorted({n for n in (*(n // cut * cut for n in shared), len(prompt)) if n >= MIN_SHARED_TOKENS})

    def _take_checkpoints(self) -> None:
        for sequence in self._running:
            while sequence.checkpoint_lengths and sequence.checkpoint_lengths[0] <= sequence.n_computed:
                if sequence.checkpoint_lengths.pop(0) == sequence.n_computed:
                    self._cache.checkpoint(_prefix_of(sequence))

    def _shared_prompt_in_progress(self, sequence: SequenceState) -> SequenceState | None:
        """Returns the running sequence that is computing a prompt with the same beginning, if waiting for it saves
        work. Otherwise returns None."""
        limit = len(sequence.tokens) - 1
        if sequence.needs_all_logits or not sequence.uses_cache or limit < MIN_SHARED_TOKENS:
            return None
        for other in self._running:
            if other.priority <= sequence.priority and other.n_computed < len(other.prompt):
                n_shared = min(common_prefix_length(other.tokens, sequence.tokens), limit)
                if not self._limits.supports_full_rollback:
                    n_shared = max((n for n in other.checkpoint_lengths if n <= n_shared), default=0)
                if n_shared >= MIN_SHARED_TOKENS and self._cache.match(sequence.tokens[:limit])[1] < n_shared:
                    return other
        return None

    def _find_prefix(self, sequence: SequenceState) -> CachedPrefix | None:
        """Returns a prefix, marked as in use, that holds as many tokens of the sequence as possible. None if there is
        no memory for it."""
        if len(self._running) >= self._limits.n_running:
            return None
        sequence.checkpoint_lengths = self._checkpoint_lengths(sequence)
        if sequence.is_deterministic and not sequence.uses_cache:
            self._drop_previous_run(sequence)
        reused = self._find_reusable(sequence)
        if not self._running:
            is_exact = self._must_be_exact(sequence) and (reused.is_exact or not reused.n)
            self._placement.clear_for(sequence, reused.source, self._waiting, is_exact=is_exact)
        if reused.saved is not None:
            return self._restore(sequence, reused.saved, reused.n)
        if reused.source is not None and self._ensure_room(
            sequence, len(sequence.tokens) - reused.n, keep=reused.source
        ):
            is_rerun = _is_rerun(sequence, reused.source, reused.n)
            return self._cache.reuse(reused.source, reused.n, sequence.priority, may_overwrite=is_rerun)
        return self._cache.allocate(sequence.priority) if self._ensure_room(sequence, len(sequence.tokens)) else None

    def _find_reusable(self, sequence: SequenceState) -> _Reusable:
        """Finds the prefix or saved state that gives the most tokens of a sequence. The last token is always computed,
        since its logits are needed.

        A deterministic sequence that runs alone reuses only tokens with an exact state (see
        `engine.kv_memory.Exactness`), unless it would compute more than `max_recomputed` cached tokens again."""
        if len(sequence.tokens) == 1 or sequence.needs_all_logits or not sequence.uses_cache:
            return _Reusable()
        best = self._best_reusable(sequence, 0)
        sequence.n_recomputed = 0
        if not self._must_be_exact(sequence):
            return best
        exact = self._best_reusable(sequence, self._limits.prompt_cut)
        limit = sequence.max_recomputed
        if limit is not None and best.n - exact.n > limit:
            return best
        sequence.n_recomputed = best.n if best.n > exact.n else 0
        return exact

    def _best_reusable(self, sequence: SequenceState, exact_cut: int) -> _Reusable:
        wanted = sequence.tokens[:-1]
        source, n = self._cache.match(wanted, exact_cut)
        saved = self._snapshots.find(wanted, exact_cut) if self._snapshots is not None else None
        if saved is not None:
            n_restorable = usable_length(saved.tokens, saved.exactness, wanted, exact_cut)
            if self._is_restoring_faster(saved, n_restorable - n):
                return _Reusable(n_restorable, saved=saved, is_exact=exact_cut > 0)
        return _Reusable(n, source, is_exact=exact_cut > 0)

    def _must_be_exact(self, sequence: SequenceState) -> bool:
        """Whether the answer of a sequence must not depend on what was computed before: it is deterministic and starts
        to run alone. Beside others, its tokens are rounded differently in any case."""
        is_alone = not self._running and all(each is sequence for each in self._waiting)
        return sequence.is_deterministic and not sequence.n_output and is_alone

    def _drop_previous_run(self, sequence: SequenceState) -> None:
        """Drops the prefix of an earlier run of the same prompt, so that the prompt is computed in the same cells
        again. In other cells, sums could round differently, which could change the answer."""
        source, n = self._cache.match(sequence.tokens[:-1]) if len(sequence.tokens) > 1 else (None, 0)
        if source is not None and not source.in_use and _is_rerun(sequence, source, n):
            self._cache.drop(source)

    def _is_restoring_faster(self, saved: SavedPrefix, n_more: int) -> bool:
        """Whether restoring a state that spares `n_more` tokens is faster than computing them. Beside other sequences,
        it must spare more, because restored tokens share no cells with other prefixes."""
        n_least = MIN_HOST_TOKENS if self._running else 1
        return n_more >= n_least + len(saved.tokens) // COPIED_PER_COMPUTED

    def _restore(self, sequence: SequenceState, saved: SavedPrefix, n: int) -> CachedPrefix | None:
        if not self._ensure_room(sequence, max(len(saved.tokens), len(sequence.tokens))):
            return None
        prefix = self._cache.allocate(sequence.priority)
        if prefix is not None:
            self._cache.restore(prefix, saved, n)
        return prefix

    def _ensure_room(self, sequence: SequenceState, n_cells: int, keep: CachedPrefix | None = None) -> bool:
        """Frees `n_cells` cells for `sequence`, in addition to the cells that each running sequence needs for its
        pending tokens and one more token. Without the additional cells, `sequence` could be preempted right after its
        admission. Returns False if there are too few cells."""
        n_promised = sum(each.n_pending + 1 for each in self._running)
        n_own = 1 if self._running else 0
        return self._cache.ensure_free_cells(n_cells + n_promised + n_own, keep, sequence.priority)

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
            n = prefilling[0].n_to_prefill_alone(self._limits.prompt_cut)
            shares = {prefilling[0]: min(n, self._limits.n_batch)}
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


@dataclass(frozen=True, slots=True)
class _Reusable:
    """The first `n` tokens of a prefix in KV memory, or of a state in host memory."""

    n: int = 0
    source: CachedPrefix | None = None
    saved: SavedPrefix | None = None
    is_exact: bool = False


def _is_rerun(sequence: SequenceState, source: CachedPrefix, n: int) -> bool:
    """Whether `sequence` is deterministic and `source` was left by an earlier run of the same prompt. Then `sequence`
    would generate the same answer again.

    False for a prefix of a higher priority, because such a prefix must not be changed."""
    n_prompt = len(sequence.prompt)
    is_same = n == n_prompt - 1 and source.n_prompt == n_prompt and sequence.n_output == 0
    return sequence.is_deterministic and is_same and sequence.priority <= source.priority


def _stays_exact(sequence: SequenceState) -> bool:
    """Whether all computed tokens of a sequence have an exact state (see `engine.kv_memory.Exactness`), and the next
    ones will have one if it runs alone."""
    return sequence.n_computed == _prefix_of(sequence).exactness.n_exact and not sequence.needs_all_logits


def _prefix_of(sequence: SequenceState) -> CachedPrefix:
    if sequence.prefix is None:
        raise AssertionError("a running sequence has a prefix")
    return sequence.prefix

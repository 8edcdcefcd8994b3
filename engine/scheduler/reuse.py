"""Finds cached prefixes and saved KV states from which sequences continue, so that they compute fewer tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.backend import Limits
from engine.kv_memory import (
    MIN_HOST_TOKENS,
    CachedPrefix,
    KvMemory,
    SavedPrefix,
    SnapshotIndex,
    common_prefix_length,
    usable_length,
)
from engine.scheduler.placement import KvPlacement
from engine.scheduler.sequence import SequenceState

COPIED_PER_COMPUTED = 256
"""Number of tokens whose KV state is copied in less time than one token is computed."""

MIN_SHARED_TOKENS = 32
"""Minimum number of common tokens for which a sequence waits until another sequence has computed them."""


class PrefixReuse:
    """Finds what a sequence can reuse, and frees the cells for the rest of it. The scheduler calls it for sequences
    that wait."""

    def __init__(
        self,
        limits: Limits,
        cache: KvMemory,
        snapshots: SnapshotIndex | None,
        running: Sequence[SequenceState],
        waiting: Sequence[SequenceState],
    ) -> None:
        """`running` and `waiting` are the lists of the scheduler, which changes them."""
        self._limits = limits
        self._cache = cache
        self._snapshots = snapshots
        self._running = running
        self._waiting = waiting
        self.placement = KvPlacement(limits, cache, snapshots)

    def n_known(self, sequence: SequenceState) -> int:
        """Number of the sequence's tokens that are cached or in a KV snapshot."""
        wanted = sequence.tokens[:-1]
        if not wanted or sequence.needs_all_logits or not sequence.uses_cache:
            return 0
        _, n_cached = self._cache.match(wanted)
        saved = self._snapshots.find(wanted) if self._snapshots is not None else None
        return max(n_cached, common_prefix_length(saved.tokens, wanted) if saved is not None else 0)

    def shared_prompt_in_progress(self, sequence: SequenceState) -> SequenceState | None:
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

    def find(self, sequence: SequenceState) -> CachedPrefix | None:
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
            self.placement.clear_for(sequence, reused.source, self._waiting, is_exact=is_exact)
        if reused.saved is not None:
            return self._restore(sequence, reused.saved, reused.n)
        if reused.source is not None and self._ensure_room(
            sequence, len(sequence.tokens) - reused.n, keep=reused.source
        ):
            is_rerun = _is_rerun(sequence, reused.source, reused.n)
            return self._cache.reuse(reused.source, reused.n, sequence.priority, may_overwrite=is_rerun)
        return self._cache.allocate(sequence.priority) if self._ensure_room(sequence, len(sequence.tokens)) else None

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

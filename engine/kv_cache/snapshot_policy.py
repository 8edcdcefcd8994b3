"""Decides which cached prefixes are saved to disk as KV snapshots, and when."""

from __future__ import annotations

from engine.backend import Backend
from engine.kv_cache.prefix_cache import PrefixCache
from engine.kv_cache.snapshot_store import SnapshotStore
from engine.kv_memory import (
    MAX_SAVE_S,
    MIN_SNAPSHOT_TOKENS,
    SAVE_BYTES_PER_S,
    CachedPrefix,
    common_prefix_length,
)

SAVE_PROMPT_TOKENS = 256
"""A prompt is saved before its answer is generated if at least this number of its tokens were not cached."""

MIN_GROWTH_SHARE = 8
"""A prefix is saved again only when at least 1/8 of its tokens are new, because a snapshot is always written whole."""

MIN_UNSAVED_AT_UNLOAD, MAX_SAVED_AT_UNLOAD_BYTES = 8, 512 * 2**20
"""Limits for snapshots when a model is unloaded. A prefix is saved if at least MIN_UNSAVED_AT_UNLOAD of its tokens are
in no snapshot. Prefixes are considered from the most recently used, up to a total size of MAX_SAVED_AT_UNLOAD_BYTES."""


class SnapshotPolicy:
    """Saves cached prefixes as KV snapshots when they are due. Does nothing if the store does not write to disk. Used
    only on the native thread, the one that decodes."""

    def __init__(self, backend: Backend, cache: PrefixCache, snapshots: SnapshotStore) -> None:
        self._backend = backend
        self._cache = cache
        self._snapshots = snapshots
        self._requested: list[CachedPrefix] = []

    def prompt_computed(self, prefix: CachedPrefix, n_computed: int) -> None:
        """Requests a snapshot of a prefix whose prompt was just computed, so that a crash during the answer does not
        lose a long prompt. `n_computed` is the number of prompt tokens that were not cached."""
        if self._snapshots.writes_to_disk and n_computed >= SAVE_PROMPT_TOKENS:
            self._requested.append(prefix)

    def save_due(self, *, window_is_decoding: bool) -> None:
        """Saves the prefixes that have enough new tokens and are idle, or for which `prompt_computed` has requested a
        snapshot. Postpones a snapshot that would interrupt an answer in the app's window for too long."""
        if not self._snapshots.writes_to_disk:
            return
        requested, self._requested = self._requested, []
        for prefix in self._cache.prefixes:
            n_new = len(prefix.tokens) - prefix.n_saved
            is_due = n_new >= max(MIN_SNAPSHOT_TOKENS, len(prefix.tokens) // MIN_GROWTH_SHARE)
            if not is_due or (prefix.in_use and prefix not in requested):
                continue
            size_bytes = self._size_bytes(prefix)
            is_slow = window_is_decoding and size_bytes / SAVE_BYTES_PER_S > MAX_SAVE_S
            if is_slow or not self._snapshots.has_room(int(size_bytes)):
                self._requested.append(prefix)
                continue
            self._save(prefix)

    def save_at_unload(self) -> None:
        """Saves prefixes before the model is unloaded, even those that have too few new tokens for `save_due`. An
        example is a chat whose last turn is not saved yet."""
        if not self._snapshots.writes_to_disk:
            return
        room_bytes = float(MAX_SAVED_AT_UNLOAD_BYTES)
        for prefix in sorted(self._cache.prefixes, key=lambda prefix: -prefix.used_at):
            room_bytes -= self._size_bytes(prefix)
            n_unsaved = len(prefix.tokens) - prefix.n_saved
            if room_bytes > 0 and len(prefix.tokens) >= MIN_SNAPSHOT_TOKENS and n_unsaved >= MIN_UNSAVED_AT_UNLOAD:
                self._save(prefix, is_last=True)

    def _save(self, prefix: CachedPrefix, *, is_last: bool = False) -> None:
        state, exactness = self._backend.save(prefix.slot), self._cache.saved_exactness(prefix)
        if not self._snapshots.put(prefix.tokens, state, prefix.owner, exactness, is_last=is_last):
            return
        for other in self._cache.prefixes:
            if common_prefix_length(other.tokens, prefix.tokens) == len(prefix.tokens):
                other.n_saved = max(other.n_saved, len(prefix.tokens))

    def _size_bytes(self, prefix: CachedPrefix) -> float:
        return len(prefix.tokens) * self._backend.info.kv_bytes / self._backend.limits.n_cells

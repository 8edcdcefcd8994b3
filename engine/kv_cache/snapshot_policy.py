"""Which prefixes are worth a snapshot, and when it is taken."""

from __future__ import annotations

from engine.backend import Backend
from engine.kv_cache.prefix_cache import MIN_SAVED, CachedPrefix, PrefixCache, common_prefix_length
from engine.kv_cache.snapshot_store import SnapshotStore

SAVED_WHEN_READ = 256
"""So many tokens read anew are kept on disk as soon as they are read, before the answer is written."""

SAVED_SHARE = 8
"""A prefix that grew is written whole again, so only when it grew by one part in so many."""

SAVE_BYTES_PER_S = 2e9
"""Taking a snapshot copies memory; measured 3 GB/s and more."""

QUICK_SAVE_S = 0.03
"""A snapshot that takes longer waits until no one watches an answer."""

SAVED_AT_END, SAVED_AT_END_BYTES = 8, 512 * 2**20
"""So many tokens that no snapshot holds yet are kept when the model goes, in all so many bytes: whoever opens the chat
again would wait for them."""


class SnapshotPolicy:
    """Native thread only. Without a store it does nothing."""

    def __init__(self, backend: Backend, cache: PrefixCache, snapshots: SnapshotStore | None) -> None:
        self._backend = backend
        self._cache = cache
        self._snapshots = snapshots
        self._noted: list[CachedPrefix] = []

    def note(self, prefix: CachedPrefix, n_read: int) -> None:
        """`n_read` tokens of it were just read: a crash in the middle of the answer must not cost reading again."""
        if self._snapshots is not None and n_read >= SAVED_WHEN_READ:
            self._noted.append(prefix)

    def save_some(self, window_is_decoding: bool) -> None:
        """Takes snapshots of what is worth it, unless a person would see the answer stop for it."""
        if self._snapshots is None:
            return
        noted, self._noted = self._noted, []
        for prefix in self._cache.prefixes:
            n_new = len(prefix.tokens) - prefix.n_saved
            if n_new < max(MIN_SAVED, len(prefix.tokens) // SAVED_SHARE) or (prefix.in_use and prefix not in noted):
                continue
            size_bytes = self._size_bytes(prefix)
            is_slow = window_is_decoding and size_bytes / SAVE_BYTES_PER_S > QUICK_SAVE_S
            if is_slow or not self._snapshots.has_room(int(size_bytes)):
                self._noted.append(prefix)
                continue
            self._save(prefix, self._snapshots)

    def save_last(self) -> None:
        """Before the model goes: what was too little to be worth it meanwhile, such as the last turn of a chat."""
        if self._snapshots is None:
            return
        room = float(SAVED_AT_END_BYTES)
        for prefix in sorted(self._cache.prefixes, key=lambda prefix: -prefix.used_at):
            room -= self._size_bytes(prefix)
            if room > 0 and len(prefix.tokens) >= MIN_SAVED and len(prefix.tokens) - prefix.n_saved >= SAVED_AT_END:
                self._save(prefix, self._snapshots, is_last=True)

    def _save(self, prefix: CachedPrefix, snapshots: SnapshotStore, *, is_last: bool = False) -> None:
        if not snapshots.put(prefix.tokens, self._backend.save(prefix.slot), is_last=is_last):
            return
        snapshots.record_owner(prefix.tokens, prefix.owner)
        for other in self._cache.prefixes:
            if common_prefix_length(other.tokens, prefix.tokens) == len(prefix.tokens):
                other.n_saved = max(other.n_saved, len(prefix.tokens))

    def _size_bytes(self, prefix: CachedPrefix) -> float:
        return len(prefix.tokens) * self._backend.info.kv_bytes / self._backend.limits.n_cells

"""Stores the KV states of prefixes that left KV memory, in host memory and as snapshots on disk, so that prompts are
not computed again, not even after a restart or a crash.

A background thread writes the snapshots. A KV state can be restored from host memory while it waits to be written."""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil

from engine.backend import Backend
from engine.files.private_files import make_private_folder
from engine.kv_cache import snapshot_file
from engine.kv_cache.host_states import HostStates, best_match, is_proper_prefix
from engine.kv_cache.snapshot_file import SUFFIX, SnapshotDamaged
from engine.kv_cache.snapshot_owners import add_owner, delete_snapshots
from engine.kv_memory import MIN_SNAPSHOT_TOKENS, Exactness, SavedPrefix, common_prefix_length

log = logging.getLogger(__name__)

SNAPSHOT_CAP_BYTES = 8 * 1024**3
"""Maximum size on disk of the snapshots of all models together."""

HOST_CAP_BYTES, HOST_SHARE = 1024**3, 8
"""Maximum size of the KV states in host memory: HOST_CAP_BYTES, but at most 1/HOST_SHARE of the machine's memory."""

MAX_QUEUED_BYTES = 512 * 1024 * 1024
"""Maximum size of the KV states that wait to be written. While a slow disk keeps this queue full, further states are
not written."""

MAX_CLOSE_S = 10.0
"""Maximum duration of `close`. States that are not written by then are lost, and their tokens are computed again when
needed."""


class SnapshotStore:
    """The saved KV states of one loaded model, in host memory and in a folder shared with other models.

    Used only on the native thread, the one that decodes. `fetch` calls its `done` on a reading thread."""

    def __init__(
        self,
        folder: Path | None,
        fingerprint: bytes,
        cap_bytes: int,
        *,
        supports_full_rollback: bool,
        host_cap_bytes: int = HOST_CAP_BYTES,
        cell_bytes: int = 0,
    ) -> None:
        """With `folder` None, nothing is written to disk. `cap_bytes` limits the size of the whole folder,
        `host_cap_bytes` that of the states in host memory. `supports_full_rollback` and `cell_bytes` are the values of
        `engine.backend.Limits`."""
        self._folder = folder
        self._fingerprint = fingerprint
        self._cap_bytes = cap_bytes
        self._supports_full_rollback = supports_full_rollback
        self._cell_bytes = cell_bytes
        self._lock = threading.Lock()
        self._on_disk: dict[str, SavedPrefix] = {}
        self._host = HostStates(host_cap_bytes, supports_full_rollback=supports_full_rollback)
        self._queued: Counter[str] = Counter()
        """How many times each state is in the write queue."""
        self._queued_bytes = 0
        self._variant = b""
        self._unfinished: set[Future[None]] = set()
        self._writer = ThreadPoolExecutor(1, "inglenook-snapshot-write")
        self._reader = ThreadPoolExecutor(1, "inglenook-snapshot-read")
        self._index_folder()

    def select(self, variant: bytes) -> None:
        """Selects the KV states that are found and added from now on: those of b"", which the model computes as it was
        loaded, or those of another variant of the model, which is the model with other adapter scales. States of other
        variants are kept in host memory only."""
        self._variant = variant

    @property
    def writes_to_disk(self) -> bool:
        return self._folder is not None and not self._variant

    @property
    def is_writing(self) -> bool:
        """Whether a state is being written or waits to be written. Writing delays decodes. It begins between two of
        them, because states are queued on the native thread."""
        return bool(self._queued)

    def token_lists(self) -> list[list[int]]:
        """Returns the tokens of all states in host memory."""
        return self._host.token_lists(self._variant)

    def host_bytes_by_owner(self) -> dict[str, int]:
        """Size in bytes of the states in host memory, by owner. May be called on any thread."""
        return self._host.bytes_by_owner()

    def fits(self, n_tokens: int) -> bool:
        """Whether host memory may hold the state of a prefix with `n_tokens` tokens."""
        return n_tokens * self._cell_bytes <= self._host.cap_bytes

    def has_room(self, n_bytes: int) -> bool:
        """Whether the write queue accepts a KV state of this size."""
        with self._lock:
            return not self._queued_bytes or self._queued_bytes + n_bytes <= MAX_QUEUED_BYTES

    def keep(self, tokens: list[int], owner: str, exactness: Exactness = Exactness()) -> bool:
        """Keeps the state of `tokens` in host memory if it is there already, at least as exact as `exactness`. Returns
        False if it is not."""
        return self._host.keep(self._key(tokens), owner, exactness)

    def put(
        self,
        tokens: list[int],
        state: memoryview,
        owner: str,
        exactness: Exactness = Exactness(),
        *,
        needed_soon: bool = False,
        is_last: bool = False,
    ) -> bool:
        """Queues the KV state of `tokens` for writing, unless it is on disk or has fewer than MIN_SNAPSHOT_TOKENS
        tokens. Returns False if the queue is full. With full rollback, the written snapshot replaces those of shorter
        prefixes of `tokens`.

        With `needed_soon`, the state remains in host memory; without it, only until it is written. With `is_last`, the
        limit of the queue does not apply."""
        tokens, key = list(tokens), self._key(tokens)
        saved = SavedPrefix(key, tokens, exactness=exactness, variant=self._variant)
        is_wanted = self.writes_to_disk and len(tokens) >= MIN_SNAPSHOT_TOKENS and not self._is_saved(saved)
        is_accepted = not is_wanted or is_last or self.has_room(len(state))
        if needed_soon or (is_wanted and is_accepted):
            is_kept = needed_soon or not self._supports_full_rollback
            self._host.add(saved, state, owner, is_kept=is_kept)
        if is_wanted and is_accepted:
            with self._lock:
                self._queued[key] += 1
                self._queued_bytes += len(state)
            self._run(self._writer, self._write, saved, state)
        if self.writes_to_disk:
            # the snapshot is written before its owner, because it is queued on the same thread
            self._run(self._writer, self._write_owner, key, owner)
        return is_accepted

    def find(self, tokens: list[int], exact_cut: int = 0) -> SavedPrefix | None:
        """See `engine.kv_memory.SnapshotIndex.find`."""
        found = self._host.find(tokens, exact_cut, self._variant)
        if found is None or not self._is_saved(found):
            return found
        return replace(found, n_saved=len(found.tokens))

    def find_on_disk(self, tokens: list[int], n_known: int) -> str | None:
        """Returns the key of the snapshot on disk that has the longest usable common prefix with `tokens`; None if that
        prefix is not longer than `n_known` tokens."""
        with self._lock:
            candidates = [each for key, each in self._on_disk.items() if key not in self._host]
        best = best_match(candidates, tokens, supports_full_rollback=self._supports_full_rollback)
        if best is None or common_prefix_length(best.tokens, tokens) <= n_known:
            return None
        return best.key

    def fetch(self, key: str, done: Callable[[], None]) -> None:
        """Reads a snapshot into host memory on the reading thread, then calls `done` on that thread, even if reading
        failed."""
        self._run(self._reader, self._read, key, done)

    def take(self, key: str, *, keep: bool = True) -> memoryview | None:
        """Returns the state whose key `find` returned, so that it can be restored. Returns None if newer states have
        displaced it since. Without `keep`, the state leaves host memory, because KV memory will hold all its tokens;
        but not without full rollback, because a sequence that has continued from it cannot be truncated to it."""
        state = self._host.get(key)
        if not keep and self._supports_full_rollback:
            self._host.remove(key)
        return state

    def forget(self, owners: Collection[str]) -> None:
        """Removes the states that have only the given owners, and all states with an unknown owner, from host memory
        and, after all queued states are written, from disk (see `snapshot_owners.delete_snapshots`)."""
        self._host.forget(owners)
        if self._folder is not None:
            self._run(self._writer, self._delete_snapshots, owners)

    def discard(self, key: str) -> None:
        """Deletes a state from host memory and disk."""
        self._host.remove(key)
        self._delete_file(key)

    def close(self, timeout_s: float = MAX_CLOSE_S) -> None:
        """Waits until all states are written, but at most `timeout_s`. Cancels reads that have not begun."""
        self._reader.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            unfinished = set(self._unfinished)
        late = wait(unfinished, timeout_s).not_done
        if late:
            log.warning("%d snapshots were not written in %.0f s", len(late), timeout_s)
        for pool in (self._reader, self._writer):
            pool.shutdown(wait=not late, cancel_futures=True)

    def _run(self, pool: ThreadPoolExecutor, work: Callable[..., None], *arguments: object) -> None:
        future = pool.submit(work, *arguments)
        with self._lock:
            self._unfinished.add(future)
        future.add_done_callback(self._remove_future)

    def _remove_future(self, future: Future[None]) -> None:
        with self._lock:
            self._unfinished.discard(future)

    def _write_owner(self, key: str, owner: str) -> None:
        assert self._folder is not None
        with suppress(OSError):  # a snapshot without a recorded owner is deleted together with the next deleted chat
            add_owner(self._folder / key, owner)

    def _delete_snapshots(self, owners: Collection[str]) -> None:
        assert self._folder is not None
        delete_snapshots(self._folder, owners)
        with self._lock, suppress(OSError):
            on_disk = {path.name for path in self._folder.glob(f"*{SUFFIX}")}
            for key in self._on_disk.keys() - on_disk:
                del self._on_disk[key]
                self._host.remove(key)  # it was read from the deleted file

    def _delete_file(self, key: str) -> None:
        with self._lock:
            self._on_disk.pop(key, None)
        if self._folder is not None:
            with suppress(OSError):
                (self._folder / key).unlink(missing_ok=True)

    def _key(self, tokens: list[int]) -> str:
        return snapshot_file.file_name(self._fingerprint + self._variant, tokens)

    def _is_saved(self, saved: SavedPrefix) -> bool:
        """Whether a state, or a more exact one of the same tokens, is on disk or will be."""
        with self._lock:
            on_disk = self._on_disk.get(saved.key)
            return saved.key in self._queued or (on_disk is not None and on_disk.exactness.covers(saved.exactness))

    def _write(self, saved: SavedPrefix, state: memoryview) -> None:
        assert self._folder is not None
        key = saved.key
        try:
            make_private_folder(self._folder)
            snapshot_file.write(self._folder / key, self._fingerprint, saved.tokens, state, saved.exactness)
        except OSError as error:  # a full disk must not end the answer
            log.warning("a snapshot was not written: %s", error.strerror)
        else:
            self._index_written(saved)
        finally:
            with self._lock:
                self._queued_bytes -= len(state)
                self._queued[key] -= 1
                if not self._queued[key]:
                    del self._queued[key]

    def _index_written(self, saved: SavedPrefix) -> None:
        """Adds a written snapshot to the index and deletes the snapshots that it replaces."""
        with self._lock:
            self._on_disk[saved.key] = saved
            replaced = [
                other for other, shorter in self._on_disk.items()
                if self._supports_full_rollback and is_proper_prefix(shorter.tokens, saved.tokens)
            ]  # fmt: skip
        self._host.remove_written(saved.key)
        for other in replaced:
            self._delete_file(other)
        self._enforce_cap()

    def _read(self, key: str, done: Callable[[], None]) -> None:
        assert self._folder is not None
        path = self._folder / key
        try:
            if key in self._host:  # another request has read this snapshot meanwhile
                return
            state = snapshot_file.read_state(path)
            with self._lock:
                # Marks the snapshot as just used: the least recently modified ones are deleted first. Raises OSError if
                # the snapshot was deleted meanwhile.
                os.utime(path)
                self._host.add(self._on_disk[key], state, "", is_kept=True)
        except (SnapshotDamaged, OSError, KeyError):
            self.discard(key)
        finally:
            done()

    def _index_folder(self) -> None:
        if self._folder is None:
            return
        try:
            unfinished, files = list(self._folder.glob("*.part")), list(self._folder.glob(f"*{SUFFIX}"))
        except OSError:
            return
        started_s = psutil.Process().create_time()
        for path in unfinished:
            with suppress(OSError):
                if path.stat().st_mtime < started_s:  # a killed process has left it; other models write newer ones
                    path.unlink(missing_ok=True)
        for path in files:
            with suppress(OSError):  # an unreadable file is skipped
                self._index_file(path)

    def _index_file(self, path: Path) -> None:
        """Adds a snapshot file to the index if it belongs to this model; deletes it if it is damaged. Raises
        OSError."""
        try:
            header = snapshot_file.read_header(path)
            if path.name != snapshot_file.file_name(header.fingerprint, header.tokens):
                raise SnapshotDamaged
        except SnapshotDamaged:
            path.unlink(missing_ok=True)
        else:
            if header.fingerprint == self._fingerprint:
                self._on_disk[path.name] = SavedPrefix(path.name, header.tokens, exactness=header.exactness)

    def _enforce_cap(self) -> None:
        """Deletes the least recently used snapshots, of all models, until the folder is within its size limit."""
        assert self._folder is not None
        with suppress(OSError):
            files = sorted(
                (path.stat().st_mtime, path.stat().st_size, path) for path in self._folder.glob(f"*{SUFFIX}")
            )
            total = sum(size for _, size, _ in files)
            for _, size, path in files:
                if total <= self._cap_bytes:
                    return
                self._delete_file(path.name)
                total -= size


def open_snapshot_store(folder: Path | None, cap_bytes: int, backend: Backend) -> SnapshotStore:
    """Opens the store of saved KV states for `backend`'s model. With `folder` None, it uses host memory only."""
    return SnapshotStore(
        folder,
        backend.fingerprint,
        cap_bytes,
        supports_full_rollback=backend.limits.supports_full_rollback,
        host_cap_bytes=min(HOST_CAP_BYTES, psutil.virtual_memory().total // HOST_SHARE),
        cell_bytes=backend.limits.cell_bytes,
    )

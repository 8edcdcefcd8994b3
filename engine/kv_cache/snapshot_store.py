"""Stores KV snapshots of cached prefixes on disk, so that prompts are not computed again after a restart or a crash.

A background thread writes the snapshots. A KV state can be restored from memory while it waits to be written."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path

from engine.backend import Backend
from engine.files.private_files import make_private_folder
from engine.kv_cache import snapshot_file
from engine.kv_cache.snapshot_file import SUFFIX, SnapshotDamaged
from engine.kv_cache.snapshot_owners import add_owner
from engine.kv_memory import common_prefix_length

log = logging.getLogger(__name__)

SNAPSHOT_CAP_BYTES = 8 * 1024**3
"""Maximum size on disk of the snapshots of all models together."""

MAX_STATES_BYTES = 256 * 1024 * 1024
"""Maximum size of the KV states in memory: those that wait to be written or will be restored soon. Without full
rollback (truncation to any length), written states also remain in memory. They may be needed again, because a sequence
that has continued from a state cannot be truncated to it."""

MAX_QUEUED_BYTES = 512 * 1024 * 1024
"""Maximum size of the KV states that wait to be written. While a slow disk keeps this queue full, further states are
not written."""

MAX_CLOSE_S = 10.0
"""Maximum duration of `close`. States that are not written by then are lost, and their tokens are computed again when
needed."""


class SnapshotStore:
    """The KV snapshots of one loaded model, in a folder shared with other models.

    Used only on the native thread, the one that decodes. `fetch` calls its `done` on a reading thread."""

    def __init__(self, folder: Path, fingerprint: bytes, cap_bytes: int, *, supports_full_rollback: bool) -> None:
        """`cap_bytes` limits the size of the whole folder. `supports_full_rollback` is the value of
        `engine.backend.Limits.supports_full_rollback`."""
        self._folder = folder
        self._fingerprint = fingerprint
        self._cap_bytes = cap_bytes
        self._supports_full_rollback = supports_full_rollback
        self._lock = threading.Lock()
        self._on_disk: dict[str, list[int]] = {}
        self._states: OrderedDict[str, tuple[list[int], memoryview]] = OrderedDict()
        self._queued_bytes = 0
        self._unfinished: set[Future[None]] = set()
        self._writer = ThreadPoolExecutor(1, "inglenook-snapshot-write")
        self._reader = ThreadPoolExecutor(1, "inglenook-snapshot-read")
        self._index_folder()

    def has_room(self, n_bytes: int) -> bool:
        """Whether the write queue accepts a KV state of this size."""
        with self._lock:
            return not self._queued_bytes or self._queued_bytes + n_bytes <= MAX_QUEUED_BYTES

    def put(self, tokens: list[int], state: memoryview, *, needed_soon: bool = False, is_last: bool = False) -> bool:
        """Queues the KV state of `tokens` for writing; returns False if the queue is full. With full rollback, the
        written snapshot replaces those of shorter prefixes of `tokens`.

        With `needed_soon`, the state also remains in memory until `take` returns it or newer states displace it. With
        `is_last`, the limit of the queue does not apply."""
        tokens = list(tokens)
        key = snapshot_file.file_name(self._fingerprint, tokens)
        is_queued = is_last or self.has_room(len(state))
        with self._lock:
            if is_queued or needed_soon:
                self._add_state(key, tokens, state)
            if is_queued:
                self._queued_bytes += len(state)
        if is_queued:
            self._run(self._writer, self._write, key, tokens, state, needed_soon)
        return is_queued

    def find(self, tokens: list[int]) -> tuple[str, list[int]] | None:
        """Returns key and tokens of the state in memory that has the longest usable common prefix with `tokens`."""
        with self._lock:
            candidates = [(key, state_tokens) for key, (state_tokens, _) in self._states.items()]
        return self._best_match(candidates, tokens)

    def find_on_disk(self, tokens: list[int], n_known: int) -> str | None:
        """Returns the key of the snapshot on disk that has the longest usable common prefix with `tokens`; None if that
        prefix is not longer than `n_known` tokens."""
        with self._lock:
            candidates = [each for each in self._on_disk.items() if each[0] not in self._states]
        best = self._best_match(candidates, tokens)
        if best is None or common_prefix_length(best[1], tokens) <= n_known:
            return None
        return best[0]

    def fetch(self, key: str, done: Callable[[], None]) -> None:
        """Reads a snapshot into memory on the reading thread, then calls `done` on that thread, even if reading
        failed."""
        self._run(self._reader, self._read, key, done)

    def take(self, key: str) -> memoryview | None:
        """Returns the state whose key `find` returned, so that it can be restored. Returns None if newer states have
        displaced it since."""
        with self._lock:
            found = self._states.get(key)
            if key in self._on_disk:
                self._drop_state(key)
        return found[1] if found else None

    def discard(self, key: str) -> None:
        """Deletes a snapshot from memory and disk."""
        with self._lock:
            self._states.pop(key, None)
            self._on_disk.pop(key, None)
        with suppress(OSError):
            (self._folder / key).unlink(missing_ok=True)

    def record_owner(self, tokens: list[int], owner: str) -> None:
        """Records the owner of the snapshot of `tokens`. Call it after `put`."""
        key = snapshot_file.file_name(self._fingerprint, tokens)
        # the snapshot is written before its owner, because `put` has queued it on the same thread
        self._run(self._writer, self._write_owner, key, owner)

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
        with suppress(OSError):  # a snapshot without a recorded owner is deleted together with the next deleted chat
            add_owner(self._folder / key, owner)

    def _best_match(self, candidates: list[tuple[str, list[int]]], tokens: list[int]) -> tuple[str, list[int]] | None:
        best, most = None, 0
        for key, candidate in candidates:
            if candidate[:1] != tokens[:1]:
                continue
            n = common_prefix_length(candidate, tokens)
            if n > most and (self._supports_full_rollback or n == len(candidate)):
                best, most = (key, candidate), n
        return best

    def _add_state(self, key: str, tokens: list[int], state: memoryview) -> None:
        self._states[key] = (tokens, state)
        self._states.move_to_end(key)
        total = sum(len(each) for _, each in self._states.values())
        while total > MAX_STATES_BYTES and len(self._states) > 1:
            _, (_, dropped) = self._states.popitem(last=False)
            total -= len(dropped)

    def _drop_state(self, key: str) -> None:
        if self._supports_full_rollback:
            self._states.pop(key, None)

    def _write(self, key: str, tokens: list[int], state: memoryview, needed_soon: bool) -> None:
        try:
            make_private_folder(self._folder)
            snapshot_file.write(self._folder / key, self._fingerprint, tokens, state)
        except OSError as error:  # a full disk must not end the answer
            log.warning("a snapshot was not written: %s", error.strerror)
        else:
            self._index_written(key, tokens, needed_soon)
        finally:
            with self._lock:
                self._queued_bytes -= len(state)

    def _index_written(self, key: str, tokens: list[int], needed_soon: bool) -> None:
        """Adds a written snapshot to the index and deletes the snapshots that it replaces."""
        with self._lock:
            self._on_disk[key] = tokens
            if not needed_soon:
                self._drop_state(key)
            replaced = [
                other for other, shorter in self._on_disk.items()
                if self._supports_full_rollback and len(shorter) < len(tokens) and tokens[: len(shorter)] == shorter
            ]  # fmt: skip
        for other in replaced:
            self.discard(other)
        self._enforce_cap()

    def _read(self, key: str, done: Callable[[], None]) -> None:
        path = self._folder / key
        try:
            with self._lock:
                if key in self._states:  # another request has read this snapshot meanwhile
                    return
            state = snapshot_file.read_state(path)
            path.touch()  # marks the snapshot as just used: the least recently modified ones are deleted first
            with self._lock:
                self._add_state(key, self._on_disk[key], state)
        except (SnapshotDamaged, OSError, KeyError):
            self.discard(key)
        finally:
            done()

    def _index_folder(self) -> None:
        try:
            unfinished, files = list(self._folder.glob("*.part")), list(self._folder.glob(f"*{SUFFIX}"))
        except OSError:
            return
        for path in unfinished:  # a killed process has left these temporary files
            with suppress(OSError):
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
                self._on_disk[path.name] = header.tokens

    def _enforce_cap(self) -> None:
        """Deletes the least recently used snapshots, of all models, until the folder is within its size limit."""
        with suppress(OSError):
            files = sorted(
                (path.stat().st_mtime, path.stat().st_size, path) for path in self._folder.glob(f"*{SUFFIX}")
            )
            total = sum(size for _, size, _ in files)
            for _, size, path in files:
                if total <= self._cap_bytes:
                    return
                self.discard(path.name)
                total -= size


def open_snapshot_store(folder: Path | None, cap_bytes: int, backend: Backend) -> SnapshotStore | None:
    """Opens the snapshot store for `backend`'s model; returns None if `folder` is None."""
    if folder is None:
        return None
    rollback = backend.limits.supports_full_rollback
    return SnapshotStore(folder, backend.fingerprint, cap_bytes, supports_full_rollback=rollback)

"""Snapshots of prefixes on disk: what was read once is never read again, not even after a restart or a crash.

Written behind, on a thread of their own; a state that is still in memory can be restored before it is on disk.
"""

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
from engine.kv_cache.prefix_cache import common_prefix_length
from engine.kv_cache.snapshot_file import SUFFIX, Damaged
from engine.kv_cache.snapshot_owners import add_owner

log = logging.getLogger(__name__)

SNAPSHOT_CAP_BYTES = 8 * 1024**3
"""What snapshots may take on disk, of all models together."""

STATES_IN_MEMORY_BYTES = 256 * 1024 * 1024
"""States that wait to be written or will be restored soon; and of memory that cannot be cut, those that were used last,
since a sequence that went on from there no longer has them."""


QUEUED_BYTES = 512 * 1024 * 1024
"""Limit of the states that are queued to be written. While a slow disk keeps the queue full, others are dropped."""

PURGE_ON_CLOSE_S = 10.0
"""Limit for `close`. States that are not written by then are computed again when they are needed."""


class SnapshotStore:
    """The snapshots of one loaded model, in a folder that other models' may share. `cap_bytes` is for all of them.

    `put`, `find`, `wanted` and `take` belong to the native thread, `fetch` calls back from another."""

    def __init__(self, folder: Path, fingerprint: bytes, cap_bytes: int, *, supports_truncation: bool) -> None:
        self._folder = folder
        self._fingerprint = fingerprint
        self._cap_bytes = cap_bytes
        self._can_cut = supports_truncation
        self._lock = threading.Lock()
        self._on_disk: dict[str, list[int]] = {}
        self._states: OrderedDict[str, tuple[list[int], memoryview]] = OrderedDict()
        self._queued_bytes = 0
        self._unfinished: set[Future[None]] = set()
        self._writer = ThreadPoolExecutor(1, "inglenook-snapshot-write")
        self._reader = ThreadPoolExecutor(1, "inglenook-snapshot-read")
        self._scan()

    def has_room(self, n_bytes: int) -> bool:
        """Whether a state of this size would be queued to be written."""
        with self._lock:
            return not self._queued_bytes or self._queued_bytes + n_bytes <= QUEUED_BYTES

    def put(self, tokens: list[int], state: memoryview, *, needed_soon: bool = False, is_last: bool = False) -> bool:
        """Keeps `state` for `tokens`; it is written later. What it makes superfluous goes.

        `needed_soon`: it stays in memory when it is written, until it is taken or others push it out. `is_last`: the
        caller bounds what is queued. False where the queue is full: then the state is not written."""
        held = list(tokens)
        key = snapshot_file.file_name(self._fingerprint, held)
        is_queued = is_last or self.has_room(len(state))
        with self._lock:
            if is_queued or needed_soon:
                self._remember(key, held, state)
            if is_queued:
                self._queued_bytes += len(state)
        if is_queued:
            self._submit(self._writer, self._write, key, held, state, needed_soon)
        return is_queued

    def find(self, tokens: list[int]) -> tuple[str, list[int]] | None:
        """Key and tokens of the state in memory that has the most in common with `tokens`."""
        with self._lock:
            candidates = [(key, held) for key, (held, _) in self._states.items()]
        return self._best(candidates, tokens)

    def wanted(self, tokens: list[int], n_known: int) -> str | None:
        """The snapshot on disk that would spare reading, beyond the `n_known` tokens that are known otherwise."""
        with self._lock:
            candidates = [(key, held) for key, held in self._on_disk.items() if key not in self._states]
        best = self._best(candidates, tokens)
        if best is None or common_prefix_length(best[1], tokens) <= n_known:
            return None
        return best[0]

    def fetch(self, key: str, then: Callable[[], None]) -> None:
        """Reads a snapshot into memory, and calls `then` from the reading thread, whether it went well or not."""
        self._submit(self._reader, self._read, key, then)

    def take(self, key: str) -> memoryview | None:
        """A state that `find` named, to be restored; None where it has gone since."""
        with self._lock:
            known = self._states.get(key)
            if key in self._on_disk:
                self._done_with(key)
        return known[1] if known else None

    def discard(self, key: str) -> None:
        """Forgets a snapshot that the model did not take."""
        with self._lock:
            self._states.pop(key, None)
            self._on_disk.pop(key, None)
        with suppress(OSError):
            (self._folder / key).unlink(missing_ok=True)

    def close(self, timeout_s: float = PURGE_ON_CLOSE_S) -> None:
        """Waits until all is written, at most `timeout_s`. Reads that have not begun never call back."""
        self._reader.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            unfinished = set(self._unfinished)
        late = wait(unfinished, timeout_s).not_done
        if late:
            log.warning("%d snapshots were not written in %.0f s", len(late), timeout_s)
        for pool in (self._reader, self._writer):
            pool.shutdown(wait=not late, cancel_futures=True)

    def _submit(self, pool: ThreadPoolExecutor, work: Callable[..., None], *arguments: object) -> None:
        future = pool.submit(work, *arguments)
        with self._lock:
            self._unfinished.add(future)
        future.add_done_callback(self._finished)

    def _finished(self, future: Future[None]) -> None:
        with self._lock:
            self._unfinished.discard(future)

    def record_owner(self, tokens: list[int], owner: str) -> None:
        """Records the owner of the snapshot of `tokens` after `put`. Native thread."""
        key = snapshot_file.file_name(self._fingerprint, tokens)
        self._submit(self._writer, self._note_owner, key, owner)  # behind the writing of the snapshot

    def _note_owner(self, key: str, owner: str) -> None:
        with suppress(OSError):  # without a known owner it is deleted with the next deleted chat
            add_owner(self._folder / key, owner)

    def _best(self, candidates: list[tuple[str, list[int]]], tokens: list[int]) -> tuple[str, list[int]] | None:
        best, most = None, 0
        for key, held in candidates:
            if held[:1] != tokens[:1]:
                continue
            n = common_prefix_length(held, tokens)
            if n > most and (self._can_cut or n == len(held)):
                best, most = (key, held), n
        return best

    def _remember(self, key: str, tokens: list[int], state: memoryview) -> None:
        self._states[key] = (tokens, state)
        self._states.move_to_end(key)
        total = sum(len(each) for _, each in self._states.values())
        while total > STATES_IN_MEMORY_BYTES and len(self._states) > 1:
            _, (_, dropped) = self._states.popitem(last=False)
            total -= len(dropped)

    def _done_with(self, key: str) -> None:
        if self._can_cut:
            self._states.pop(key, None)

    def _write(self, key: str, tokens: list[int], state: memoryview, needed_soon: bool) -> None:
        try:
            self._write_now(key, tokens, state, needed_soon)
        finally:
            with self._lock:
                self._queued_bytes -= len(state)

    def _write_now(self, key: str, tokens: list[int], state: memoryview, needed_soon: bool) -> None:
        try:
            make_private_folder(self._folder)
            snapshot_file.write(self._folder / key, self._fingerprint, tokens, state)
        except OSError as error:  # a full disk costs a reading some day, not an answer now
            log.warning("a snapshot was not written: %s", error.strerror)
            return
        with self._lock:
            self._on_disk[key] = tokens
            if not needed_soon:
                self._done_with(key)
            superfluous = [
                other for other, held in self._on_disk.items()
                if self._can_cut and len(held) < len(tokens) and tokens[: len(held)] == held
            ]  # fmt: skip
        for other in superfluous:
            self.discard(other)
        self._keep_to_the_cap()

    def _read(self, key: str, then: Callable[[], None]) -> None:
        path = self._folder / key
        try:
            with self._lock:
                if key in self._states:  # read for another request a moment ago
                    return
            state = snapshot_file.read_state(path)
            path.touch()  # the time of its last use
            with self._lock:
                self._remember(key, self._on_disk[key], state)
        except (Damaged, OSError, KeyError):
            self.discard(key)
        finally:
            then()

    def _scan(self) -> None:
        try:
            left, files = list(self._folder.glob("*.part")), list(self._folder.glob(f"*{SUFFIX}"))
        except OSError:
            return
        for path in left:  # of a process that was killed
            with suppress(OSError):
                path.unlink(missing_ok=True)
        for path in files:
            with suppress(OSError):  # one that cannot be read hides no others
                self._index(path)

    def _index(self, path: Path) -> None:
        """Deletes it where it is damaged. Raises OSError."""
        try:
            header = snapshot_file.read_header(path)
            if path.name != snapshot_file.file_name(header.fingerprint, header.tokens):
                raise Damaged
        except Damaged:
            path.unlink(missing_ok=True)
        else:
            if header.fingerprint == self._fingerprint:
                self._on_disk[path.name] = header.tokens

    def _keep_to_the_cap(self) -> None:
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
    """The store of `backend`'s model; None without a folder."""
    if folder is None:
        return None
    return SnapshotStore(
        folder, backend.fingerprint, cap_bytes, supports_truncation=backend.limits.supports_full_rollback
    )

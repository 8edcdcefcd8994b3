"""Bytes of one file over HTTP, on from where they ended, through cuts and stalls."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from engine.files.private_files import open_private
from engine.library.http_client import open_client
from engine.library.hub_errors import Gated, HubRefused, HubUnreachable

if TYPE_CHECKING:
    import httpx2

CONNECT_S, STALL_S = 10.0, 20.0
"""Nothing for this long, and the connection is given up."""

N_TRIES = 5
"""In a row without a single byte."""

PAUSE_S = 1.0
"""Before the second try; twice as long before each one after it."""

_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class Stopped(Exception):
    """It was paused; what came so far is there."""


class Stop:
    """Set on any thread, once. Wakes whoever waits for the network."""

    def __init__(self) -> None:
        self._set = threading.Event()
        self._lock = threading.Lock()
        self._wake: Callable[[], None] | None = None

    def set(self) -> None:
        with self._lock:
            self._set.set()
            if self._wake is not None:
                self._wake()

    @property
    def is_set(self) -> bool:
        return self._set.is_set()

    def check(self) -> None:
        """Raises Stopped."""
        if self._set.is_set():
            raise Stopped

    def wait(self, seconds: float) -> None:
        """Raises Stopped, as soon as it is set."""
        if self._set.wait(seconds):
            raise Stopped

    def wakes(self, wake: Callable[[], None] | None) -> None:
        """What to call when it is set; None: nobody waits. Raises Stopped."""
        with self._lock:
            self._wake = wake
        if wake is not None:
            self.check()


class Transfer:
    """`fetch` blocks; each call has a connection of its own."""

    def __init__(
        self,
        *,
        connect_s: float = CONNECT_S,
        stall_s: float = STALL_S,
        n_tries: int = N_TRIES,
        pause_s: float = PAUSE_S,
    ) -> None:
        self._connect_s, self._stall_s = connect_s, stall_s
        self._n_tries, self._pause_s = n_tries, pause_s

    def fetch(self, address: str, part: Path, size_bytes: int, stop: Stop, on_bytes: Callable[[int], None]) -> None:
        """Appends to `part` until it is `size_bytes` long, at the least. `on_bytes` hears how long it is.

        Raises Stopped, HubUnreachable, HubRefused, OSError."""
        import httpx2

        timeout = httpx2.Timeout(self._stall_s, connect=self._connect_s)
        headers = {"Accept-Encoding": "identity", "User-Agent": "inglenook"}
        n_tries = 0
        options = {"timeout": timeout, "headers": headers, "follow_redirects": True, "max_redirects": 5}
        with open_client(httpx2.Client, **options) as client:
            while (before := _size(part)) < size_bytes:
                stop.check()
                reason = ""
                try:
                    self._try(client, address, part, size_bytes, stop, on_bytes)
                except httpx2.HTTPError as error:
                    stop.check()
                    reason = str(error) or type(error).__name__
                except _TryAgain as error:
                    reason = str(error)
                if _size(part) > before:
                    n_tries = 0
                    continue
                n_tries += 1
                if n_tries >= self._n_tries:
                    raise HubUnreachable(reason)
                stop.wait(self._pause_s * 2 ** (n_tries - 1))

    def _try(
        self,
        client: httpx2.Client,
        address: str,
        part: Path,
        size_bytes: int,
        stop: Stop,
        on_bytes: Callable[[int], None],
    ) -> None:
        """One connection. Raises _TryAgain, httpx2's errors, and as `fetch` does."""
        n_have = _size(part)
        headers = {"Range": f"bytes={n_have}-"} if n_have else {}
        with client.stream("GET", address, headers=headers) as response:
            if response.status_code == 416:  # the file has become shorter than what we have of it
                part.unlink(missing_ok=True)
            start = _start(response, address, n_have)
            stop.wakes(_hanging_up(response))
            try:
                with open(part, "ab", opener=open_private) as file:
                    if start != n_have:
                        file.truncate(start)
                    _append(response, file, size_bytes, stop, on_bytes)
            finally:
                stop.wakes(None)


def _append(
    response: httpx2.Response, file: BinaryIO, size_bytes: int, stop: Stop, on_bytes: Callable[[int], None]
) -> None:
    told = 0.0
    for block in response.iter_raw():
        stop.check()
        file.write(block)
        if (now := time.monotonic()) - told > 0.1:
            told = now
            on_bytes(file.tell())
        if file.tell() > size_bytes:  # not the file that was promised; its sum will say so
            break
    on_bytes(file.tell())


def _start(response: httpx2.Response, address: str, n_have: int) -> int:
    """At which byte the answer begins. Raises _TryAgain, HubRefused."""
    status = response.status_code
    if status == 206:
        found = _RANGE.match(response.headers.get("Content-Range", ""))
        if found is None or not 0 <= (start := int(found[1])) <= n_have:
            raise _TryAgain("it sent another part than was asked for")
        return start
    if status == 200:  # all of it, from the beginning
        return 0
    if status in (401, 403):
        raise Gated(status, address)
    if status == 429 or status >= 500 or status == 416:
        raise _TryAgain(f"it answers {status}")
    raise HubRefused(status)


def _hanging_up(response: httpx2.Response) -> Callable[[], None]:
    """Ends a read that waits, from another thread."""
    stream = response.extensions.get("network_stream")
    connection = stream.get_extra_info("socket") if stream is not None else None

    def hang_up() -> None:
        if isinstance(connection, socket.socket):
            with contextlib.suppress(OSError):  # it has ended by itself
                connection.shutdown(socket.SHUT_RDWR)

    return hang_up


class _TryAgain(Exception):
    """This may be different in a moment."""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0

"""Downloads one file over HTTP. Interrupted and stalled downloads are resumed."""

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
"""A connection is closed if it is not established within CONNECT_S, or if no data arrives for STALL_S."""

MAX_TRIES = 5
"""The transfer fails after this many consecutive tries in which not a single byte was received."""

RETRY_DELAY_S = 1.0
"""The delay before the second try. It doubles for each further try."""

_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class Stopped(Exception):
    """The transfer was stopped. The bytes received so far are kept."""


class StopSignal:
    """Stops a transfer. It can be set once, on any thread, and interrupts waiting for the network."""

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
        """Raises Stopped if the signal is set."""
        if self._set.is_set():
            raise Stopped

    def wait(self, seconds: float) -> None:
        """Waits for `seconds`. Raises Stopped as soon as the signal is set."""
        if self._set.wait(seconds):
            raise Stopped

    def on_set(self, wake: Callable[[], None] | None) -> None:
        """Sets the function that `set` calls; None removes it. Raises Stopped if the signal is already set."""
        with self._lock:
            self._wake = wake
        if wake is not None:
            self.check()


class Transfer:
    """Downloads files over HTTP. Each call of `fetch` blocks and uses its own HTTP client."""

    def __init__(
        self,
        *,
        connect_s: float = CONNECT_S,
        stall_s: float = STALL_S,
        max_tries: int = MAX_TRIES,
        retry_delay_s: float = RETRY_DELAY_S,
    ) -> None:
        self._connect_s, self._stall_s = connect_s, stall_s
        self._max_tries, self._retry_delay_s = max_tries, retry_delay_s

    def fetch(self, url: str, part: Path, size_bytes: int, stop: StopSignal, on_bytes: Callable[[int], None]) -> None:
        """Downloads the file at `url` and appends its data to the file `part`, until that file has at least
        `size_bytes`.

        Calls `on_bytes` with the current length of `part`. Raises Stopped, HubUnreachable, HubRefused, OSError."""
        import httpx2

        timeout = httpx2.Timeout(self._stall_s, connect=self._connect_s)
        headers = {"Accept-Encoding": "identity", "User-Agent": "inglenook"}
        n_tries = 0
        options = {"timeout": timeout, "headers": headers, "follow_redirects": True, "max_redirects": 5}
        with open_client(httpx2.Client, **options) as client:
            while (before := size_on_disk(part)) < size_bytes:
                stop.check()
                reason = ""
                try:
                    self._receive(client, url, part, size_bytes, stop, on_bytes)
                except httpx2.HTTPError as error:
                    stop.check()
                    reason = str(error) or type(error).__name__
                except _TryAgain as error:
                    reason = str(error)
                if size_on_disk(part) > before:
                    n_tries = 0
                    continue
                n_tries += 1
                if n_tries >= self._max_tries:
                    raise HubUnreachable(reason)
                stop.wait(self._retry_delay_s * 2 ** (n_tries - 1))

    def _receive(
        self,
        client: httpx2.Client,
        url: str,
        part: Path,
        size_bytes: int,
        stop: StopSignal,
        on_bytes: Callable[[int], None],
    ) -> None:
        """Makes one request and appends the response's data to `part`. Raises _TryAgain, the errors of httpx2, and
        those of `fetch`."""
        n_have = size_on_disk(part)
        headers = {"Range": f"bytes={n_have}-"} if n_have else {}
        with client.stream("GET", url, headers=headers) as response:
            if response.status_code == 416:  # the file on the server is shorter than `part`
                part.unlink(missing_ok=True)
            start = _start_offset(response, url, n_have)
            stop.on_set(_connection_closer(response))
            try:
                with open(part, "ab", opener=open_private) as file:
                    if start != n_have:
                        file.truncate(start)
                    _append(response, file, size_bytes, stop, on_bytes)
            finally:
                stop.on_set(None)


def _append(
    response: httpx2.Response, file: BinaryIO, size_bytes: int, stop: StopSignal, on_bytes: Callable[[int], None]
) -> None:
    reported_at = 0.0
    for block in response.iter_raw():
        stop.check()
        file.write(block)
        if (now := time.monotonic()) - reported_at > 0.1:
            reported_at = now
            on_bytes(file.tell())
        if file.tell() > size_bytes:  # the server sends another file, whose checksum will not match
            break
    on_bytes(file.tell())


def _start_offset(response: httpx2.Response, url: str, n_have: int) -> int:
    """The offset in the file at which the response's data starts. Raises _TryAgain, HubRefused."""
    status = response.status_code
    if status == 206:
        found = _RANGE.match(response.headers.get("Content-Range", ""))
        if found is None or not 0 <= (start := int(found[1])) <= n_have:
            raise _TryAgain("it sent another part than was asked for")
        return start
    if status == 200:  # the response is the whole file
        return 0
    if status in (401, 403):
        raise Gated(status, url)
    if status == 429 or status >= 500 or status == 416:
        raise _TryAgain(f"it answers {status}")
    raise HubRefused(status)


def _connection_closer(response: httpx2.Response) -> Callable[[], None]:
    """Returns a function that another thread can call to abort a blocked read of `response`."""
    stream = response.extensions.get("network_stream")
    connection = stream.get_extra_info("socket") if stream is not None else None

    def close() -> None:
        if isinstance(connection, socket.socket):
            with contextlib.suppress(OSError):  # the connection is already closed
                connection.shutdown(socket.SHUT_RDWR)

    return close


class _TryAgain(Exception):
    """An error that may disappear when the request is repeated."""


def size_on_disk(path: Path) -> int:
    """The size of a file in bytes; 0 if it does not exist."""
    try:
        return path.stat().st_size
    except OSError:
        return 0

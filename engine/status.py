"""Where the engine stands, told to whoever watches, each on their own loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace

from engine.events import EmbedderInfo, Status


class StatusPublisher:
    """The engine's current `Status`. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._status = Status("empty")
        self._embedder: EmbedderInfo | None = None
        self._watchers: dict[object, tuple[asyncio.AbstractEventLoop, Callable[[Status], None]]] = {}

    @property
    def status(self) -> Status:
        return self._status

    def publish(self, status: Status) -> None:
        self.update(lambda before: status)

    def update(self, change: Callable[[Status], Status]) -> None:
        """Replaces the status by `change` of the current one, with nothing published in between."""
        with self._lock:
            status = replace(change(self._status), embedder=self._embedder)
            if status == self._status:
                return
            self._status = status
            for key, (loop, listener) in list(self._watchers.items()):  # under the lock: all see the same order
                try:
                    loop.call_soon_threadsafe(listener, status)
                except RuntimeError:  # its loop is closed
                    del self._watchers[key]

    def publish_embedder(self, embedder: EmbedderInfo | None) -> None:
        with self._lock:
            self._embedder = embedder
            self.update(lambda before: before)

    def watch(self, listener: Callable[[Status], None]) -> Callable[[], None]:
        """Tells `listener` on the caller's running loop, first the status of now. Returns what ends it."""
        loop = asyncio.get_running_loop()
        key = object()
        active = True

        def tell(status: Status) -> None:
            if active:
                listener(status)

        def stop() -> None:
            nonlocal active
            active = False
            self._forget(key)

        with self._lock:
            self._watchers[key] = (loop, tell)
            loop.call_soon(tell, self._status)
        return stop

    def _forget(self, key: object) -> None:
        with self._lock:
            self._watchers.pop(key, None)

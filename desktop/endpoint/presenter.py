"""What the page of the endpoint shows beside its switch: requests, keys, memory; and what a person does with them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.endpoint import request_conversation, strings
from desktop.endpoint.activity import Feed, Keys, KeyUsage, MemoryShares, ToolRequest
from desktop.endpoint.errors import BodyNotStored, BodyUnreadable
from desktop.endpoint.request_list import RequestList
from desktop.platform.task_set import TaskSet

LIVE_MS = 250
"""While something is under way and the page is seen."""
IDLE_MS = 3_000
"""While the page is seen and nothing is under way: memory changes on its own."""
MEMORY_S = 1.0


class EndpointPresenter(QObject):
    """Looks at the feed while its page is seen, and when a call begins or ends; otherwise nothing runs. GUI thread."""

    tools_changed = Signal(int)
    """How many tools have requests under way."""
    keys_changed = Signal(object)
    """A tuple of `KeyUsage`."""
    origins_changed = Signal(object)
    """The `PageOrigins`."""
    allowed_origins_changed = Signal(object)
    """A tuple of the origins that a person now allows."""
    memory_read = Signal(object)
    key_made = Signal(str, str)
    """A new key's name, and the key, which is told this once."""
    request_opened = Signal(object)
    """The `Asked` of a request that a person wants to go on with as a chat."""
    failed = Signal(object)

    def __init__(self, feed: Feed, keys: Keys, own_key: str, memory: Callable[[], Awaitable[MemoryShares]]) -> None:
        super().__init__()
        self.calls = RequestList(strings.sentence, self)
        self._feed, self._keys, self._memory = feed, keys, memory
        self._own_key = own_key
        self._names: tuple[str, ...] = ()
        self._shown_keys: tuple[KeyUsage, ...] = ()
        self._n_tools = 0
        self._visible = False
        self._looked_at = self._memory_read_at = float("-inf")
        self._tasks = TaskSet(lambda error, _: self.failed.emit(error))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._look)
        feed.watch(self._look_soon)

    async def aclose(self) -> None:
        """Idempotent. Whoever holds the feed for longer holds nothing of this any more."""
        self._feed.watch(lambda: None)
        self._timer.stop()
        self._visible = False
        await self._tasks.aclose()

    def set_visible(self, visible: bool) -> None:
        """Whether the page is seen."""
        self._visible = visible
        if visible:
            self._tasks.spawn(self._read_keys(), "read the keys")
            self._look()
        else:
            self._timer.stop()

    def stop(self, call_id: str) -> None:
        self._feed.stop(call_id)

    def stop_all(self) -> None:
        self._feed.stop_all()

    def keep_bodies(self, keep: bool) -> None:
        """Until Inglenook ends; False forgets what was kept."""
        self._feed.keep_bodies(keep)
        self._look_soon()

    def open(self, call_id: str) -> None:
        """Tells `request_opened`, or `failed`: BodyNotStored, BodyUnreadable."""
        body = next((call.body for call in self._feed.calls() if call.id == call_id), None)
        try:
            if body is None:
                raise BodyNotStored
            asked = request_conversation.read(body)
        except (BodyNotStored, BodyUnreadable) as error:
            self.failed.emit(error)
        else:
            self.request_opened.emit(asked.answered(self._feed.said(call_id)))

    def allow_origin(self, origin: str) -> None:
        self._allow_only((*self._feed.origins().allowed, origin))

    def remove_origin(self, origin: str) -> None:
        self._allow_only(tuple(each for each in self._feed.origins().allowed if each != origin))

    def _allow_only(self, origins: tuple[str, ...]) -> None:
        self._feed.allow_origins(origins)
        self.allowed_origins_changed.emit(self._feed.origins().allowed)
        self.origins_changed.emit(self._feed.origins())

    def add_key(self, name: str) -> None:
        self._tasks.spawn(self._add_key(name), "make a key")

    def revoke_key(self, name: str) -> None:
        self._tasks.spawn(self._revoke_key(name), "revoke a key")

    async def _add_key(self, name: str) -> None:
        value = await asyncio.to_thread(self._keys.add, name)
        await self._read_keys()
        self.key_made.emit(name, value)

    async def _revoke_key(self, name: str) -> None:
        await asyncio.to_thread(self._keys.revoke, name)
        await self._read_keys()

    async def _read_keys(self) -> None:
        self._names = tuple(await asyncio.to_thread(self._keys.names))
        self._show_keys()

    def _look_soon(self) -> None:
        """At most every LIVE_MS, however many calls begin and end."""
        wait_ms = round(max(0.0, LIVE_MS - 1000 * (time.monotonic() - self._looked_at)))
        if not self._timer.isActive() or self._timer.remainingTime() > wait_ms:
            self._timer.start(wait_ms)

    def _look(self) -> None:
        self._looked_at = time.monotonic()
        calls = self._feed.calls()
        live = [call for call in calls if call.live]
        self._count_tools(live)
        if not self._visible:
            return
        self.calls.show(calls)
        self._show_keys()
        self.origins_changed.emit(self._feed.origins())
        if self._looked_at - self._memory_read_at >= MEMORY_S:
            self._memory_read_at = self._looked_at
            self._tasks.spawn(self._read_memory(), "read what memory is spent on")
        self._timer.start(LIVE_MS if live else IDLE_MS)

    async def _read_memory(self) -> None:
        self.memory_read.emit(await self._memory())

    def _count_tools(self, live: list[ToolRequest]) -> None:
        n_tools = len({(call.key, call.client) for call in live})
        if n_tools != self._n_tools:
            self._n_tools = n_tools
            self.tools_changed.emit(n_tools)

    def _show_keys(self) -> None:
        uses = self._feed.uses()
        live = {call.key for call in self._feed.calls() if call.live}
        keys = tuple(
            KeyUsage(name, name == self._own_key, *uses.get(name, (0, 0)), in_use=name in live)
            for name in (self._own_key, *self._names)
        )
        if keys != self._shown_keys:
            self._shown_keys = keys
            self.keys_changed.emit(keys)

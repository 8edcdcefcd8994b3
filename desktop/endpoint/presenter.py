"""Provides the endpoint page with requests, API keys, web origins and memory use, and performs the actions on them.

The switch of the page is handled by `desktop.endpoint.controller`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.endpoint import strings
from desktop.endpoint.activity import ActivityFeed, KeyStore, KeyUsage, ToolRequest
from desktop.endpoint.errors import BodyNotStored, BodyUnreadable
from desktop.endpoint.memory_shares import MemoryShares
from desktop.endpoint.request_conversation import conversation_in
from desktop.endpoint.request_list import RequestList
from desktop.platform.task_set import TaskSet

ACTIVE_MS = 250
"""Interval of updates while the page is visible and a request is active."""
IDLE_MS = 3_000
"""Interval of updates while the page is visible and no request is active. Memory use may change even then."""
MEMORY_INTERVAL_S = 1.0


class EndpointPresenter(QObject):
    """Reads the activity feed periodically while the page is visible, and once after a request has begun or ended. No
    periodic timer runs while the page is hidden. GUI thread only."""

    n_tools_changed = Signal(int)
    """Carries the number of tools with an active request."""
    keys_changed = Signal(object)
    """Carries a tuple of `KeyUsage`."""
    origins_changed = Signal(object)
    """Carries the current `PageOrigins`."""
    allowed_origins_changed = Signal(object)
    """The user changed the allowed origins. Carries all of them as a tuple."""
    memory_read = Signal(object)
    """Carries the `MemoryShares` that were just read."""
    key_created = Signal(str, str)
    """Carries the name and the value of a new key. The value cannot be read again."""
    conversation_opened = Signal(object)
    """Carries the `RequestConversation` of a request that the user wants to open as a chat."""
    failed = Signal(object)
    """An action failed. Carries its exception."""

    def __init__(
        self, feed: ActivityFeed, keys: KeyStore, own_key: str, read_memory: Callable[[], Awaitable[MemoryShares]]
    ) -> None:
        """`own_key` is the name of the endpoint's own key."""
        super().__init__()
        self.requests = RequestList(strings.accessible_text, self)
        self._feed, self._keys, self._read_memory_shares = feed, keys, read_memory
        self._own_key = own_key
        self._key_names: tuple[str, ...] = ()
        self._shown_keys: tuple[KeyUsage, ...] = ()
        self._n_tools = 0
        self._visible = False
        self._updated_at = self._memory_read_at = float("-inf")
        self._tasks = TaskSet(lambda error, _: self.failed.emit(error))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._update)
        feed.set_listener(self._update_soon)

    async def aclose(self) -> None:
        """Unsubscribe from the feed and end all tasks. Idempotent."""
        self._feed.set_listener(lambda: None)
        self._timer.stop()
        self._visible = False
        await self._tasks.aclose()

    def set_visible(self, visible: bool) -> None:
        """Start or stop the periodic updates, when the page is shown or hidden."""
        self._visible = visible
        if visible:
            self._tasks.spawn(self._read_keys(), "read the keys")
            self._update()
        else:
            self._timer.stop()

    def stop(self, request_id: str) -> None:
        self._feed.stop(request_id)

    def stop_all(self) -> None:
        self._feed.stop_all()

    def keep_bodies(self, keep: bool) -> None:
        """Turn the storing of request bodies on or off, until Inglenook ends. Turning it off deletes the stored
        ones."""
        self._feed.keep_bodies(keep)
        self._update_soon()

    def open_as_chat(self, request_id: str) -> None:
        """Emits `conversation_opened` with the conversation of the request, or `failed` with BodyNotStored or
        BodyUnreadable."""
        body = next((request.body for request in self._feed.requests() if request.id == request_id), None)
        try:
            if body is None:
                raise BodyNotStored
            conversation = conversation_in(body)
        except (BodyNotStored, BodyUnreadable) as error:
            self.failed.emit(error)
        else:
            self.conversation_opened.emit(conversation.with_answer(self._feed.answer_text(request_id)))

    def allow_origin(self, origin: str) -> None:
        self._set_allowed_origins((*self._feed.origins().allowed, origin))

    def remove_origin(self, origin: str) -> None:
        self._set_allowed_origins(tuple(each for each in self._feed.origins().allowed if each != origin))

    def _set_allowed_origins(self, origins: tuple[str, ...]) -> None:
        self._feed.set_allowed_origins(origins)
        self.allowed_origins_changed.emit(self._feed.origins().allowed)
        self.origins_changed.emit(self._feed.origins())

    def add_key(self, name: str) -> None:
        self._tasks.spawn(self._add_key(name), "create a key")

    def revoke_key(self, name: str) -> None:
        self._tasks.spawn(self._revoke_key(name), "revoke a key")

    async def _add_key(self, name: str) -> None:
        value = await asyncio.to_thread(self._keys.add, name)
        await self._read_keys()
        self.key_created.emit(name, value)

    async def _revoke_key(self, name: str) -> None:
        await asyncio.to_thread(self._keys.revoke, name)
        await self._read_keys()

    async def _read_keys(self) -> None:
        self._key_names = tuple(await asyncio.to_thread(self._keys.names))
        self._show_keys()

    def _update_soon(self) -> None:
        """Schedule an update. There is at most one per `ACTIVE_MS`, however many requests begin and end."""
        wait_ms = round(max(0.0, ACTIVE_MS - 1000 * (time.monotonic() - self._updated_at)))
        if not self._timer.isActive() or self._timer.remainingTime() > wait_ms:
            self._timer.start(wait_ms)

    def _update(self) -> None:
        self._updated_at = time.monotonic()
        requests = self._feed.requests()
        active = [request for request in requests if request.is_active]
        self._count_tools(active)
        if not self._visible:
            return
        self.requests.show(requests)
        self._show_keys()
        self.origins_changed.emit(self._feed.origins())
        if self._updated_at - self._memory_read_at >= MEMORY_INTERVAL_S:
            self._memory_read_at = self._updated_at
            self._tasks.spawn(self._read_memory(), "read the memory use")
        self._timer.start(ACTIVE_MS if active else IDLE_MS)

    async def _read_memory(self) -> None:
        self.memory_read.emit(await self._read_memory_shares())

    def _count_tools(self, active: list[ToolRequest]) -> None:
        n_tools = len({(request.key, request.client) for request in active})
        if n_tools != self._n_tools:
            self._n_tools = n_tools
            self.n_tools_changed.emit(n_tools)

    def _show_keys(self) -> None:
        usage = self._feed.usage()
        in_use = {request.key for request in self._feed.requests() if request.is_active}
        keys = tuple(
            KeyUsage(name, name == self._own_key, *usage.get(name, (0, 0)), in_use=name in in_use)
            for name in (self._own_key, *self._key_names)
        )
        if keys != self._shown_keys:
            self._shown_keys = keys
            self.keys_changed.emit(keys)

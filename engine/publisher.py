"""A value that is shared between threads, and listeners that are notified of its changes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Publisher(Generic[Value]):
    """Holds the current value and notifies listeners of changes. May be used on any thread."""

    def __init__(self, value: Value) -> None:
        self._lock = threading.RLock()
        self._value = value
        self._listeners: dict[object, tuple[asyncio.AbstractEventLoop, Callable[[Value], None]]] = {}

    @property
    def status(self) -> Value:
        return self._value

    def publish(self, value: Value) -> None:
        self.update(lambda before: value)

    def update(self, change: Callable[[Value], Value]) -> None:
        """Atomically replaces the current value by the result of `change`, which gets the current one."""
        with self._lock:
            value = change(self._value)
            if value == self._value:
                return
            self._value = value
            # Listeners are notified while the lock is held, so that all of them get the changes in the same order.
            for key, (loop, notify) in list(self._listeners.items()):
                try:
                    loop.call_soon_threadsafe(notify, value)
                except RuntimeError:  # the listener's event loop is closed
                    del self._listeners[key]

    def watch(self, listener: Callable[[Value], None]) -> Callable[[], None]:
        """Calls `listener` on the caller's event loop, first with the current value and then after every change.

        Returns a function that ends these calls. That function may be called on any thread."""
        loop = asyncio.get_running_loop()
        key = object()
        active = True

        def notify(value: Value) -> None:
            if active:
                listener(value)

        def stop() -> None:
            nonlocal active
            active = False
            with self._lock:
                self._listeners.pop(key, None)

        with self._lock:
            self._listeners[key] = (loop, notify)
            loop.call_soon(notify, self._value)
        return stop

"""Lets the engines of this process that compute on the processor take turns, one step at a time.

Two decodes at once would slow each other down, because llama.cpp's threads spin while they wait for each other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from engine.priority import Priority

MAX_WAIT_S = 1.0
"""An engine that has waited this long gets one step, even if requests with a higher priority run on another engine."""


class StepArbiter:
    """Decides which engine computes its next step: the one with the request of the highest priority, and among equals
    the one that has computed for the shortest time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.lock = threading.Lock()
        self.members: set[StepTurns] = set()
        self.waiting: list[StepTurns] = []
        self.holder: StepTurns | None = None
        """The engine that computes a step, or for whose next step the turn is reserved."""
        self.used_s = 0.0
        """`StepTurns.used_s` of the engine that got the last turn, when it got it."""

    def join(
        self, interrupt: Callable[[], None] = lambda: None, give_way: Callable[[], None] = lambda: None
    ) -> StepTurns:
        """Adds an engine. `interrupt` is called, on any thread, if a request to another engine goes before the step
        that the engine computes. It should end the step early if that saves time. `give_way` is called on the engine's
        native thread when it waits, or has nothing to compute, while there are other engines."""
        turns = StepTurns(self, interrupt, give_way)
        with self.lock:
            self.members.add(turns)
        return turns

    def grant(self, turns: StepTurns | None, *, reserved: bool = False) -> None:
        """Gives the turn to an engine. With `reserved`, its next `begin` takes it. Call with the lock held."""
        self.holder = turns
        if turns is None:
            return
        self.used_s = max(self.used_s, turns.used_s)
        turns.is_computing = not reserved
        if turns in self.waiting:
            self.waiting.remove(turns)
            turns.granted.set()

    def next_waiting(self) -> StepTurns | None:
        """Call with the lock held."""
        if not self.waiting:
            return None
        longest = min(self.waiting, key=lambda each: each.waiting_since)
        if self.clock() - longest.waiting_since >= MAX_WAIT_S:
            return longest
        return min(self.waiting, key=_order)


class StepTurns:
    """The turns of one engine. `begin`, `end`, `release` and `leave` are called on its native thread, and the other
    attributes are used by the arbiter."""

    def __init__(self, arbiter: StepArbiter, interrupt: Callable[[], None], give_way: Callable[[], None]) -> None:
        self._arbiter = arbiter
        self.interrupt = interrupt
        self._give_way = give_way
        self.priority = Priority.WINDOW
        self.used_s = 0.0
        """Time for which the engine has computed. Time in which it had nothing to compute counts as used."""
        self.waiting_since = 0.0
        self.is_computing = False
        self.granted = threading.Event()
        self._began = 0.0

    @property
    def is_outranked(self) -> bool:
        """Whether a request to another engine, with a higher priority than this engine's step, is waiting."""
        return any(each.priority < self.priority for each in list(self._arbiter.waiting))

    def begin(self, priority: Callable[[], Priority]) -> None:
        """Waits until this engine may compute a step. `priority` returns the highest priority of its requests; it is
        called only if there are other engines."""
        arbiter, outranked = self._arbiter, None
        with arbiter.lock:
            is_alone = len(arbiter.members) == 1
            self.priority = Priority.WINDOW if is_alone else priority()
            holder = arbiter.holder
            if holder is not self:
                self.used_s = max(self.used_s, arbiter.used_s)
            must_wait = not (
                holder is None or holder is self or (not holder.is_computing and self.priority < holder.priority)
            )
            if not must_wait:
                arbiter.grant(self)
            else:
                self.waiting_since = arbiter.clock()
                arbiter.waiting.append(self)
                outranked = holder if holder is not None and self.priority < holder.priority else None
        if must_wait:
            if outranked is not None:
                outranked.interrupt()
            self._give_way()
            self.granted.wait()
            self.granted.clear()
        self._began = arbiter.clock()

    def end(self, following: Callable[[], Priority | None]) -> None:
        """Ends the step. `following` returns the highest priority of the requests that need another step, or None if
        there are none; it is called only if there are other engines."""
        arbiter = self._arbiter
        with arbiter.lock:
            self.used_s += arbiter.clock() - self._began
            self.is_computing = False
            if len(arbiter.members) == 1:
                arbiter.grant(None)
                return
            priority, waiting = following(), arbiter.next_waiting()
            if priority is not None:
                self.priority = priority
            if waiting is None:
                arbiter.grant(None)
                gives_way = priority is None
            else:
                has_waited_long = arbiter.clock() - waiting.waiting_since >= MAX_WAIT_S
                gives_way = priority is None or has_waited_long or _order(waiting) <= _order(self)
                arbiter.grant(waiting if gives_way else self, reserved=not gives_way)
        if gives_way:
            self._give_way()

    def release(self) -> None:
        """Gives up a reserved turn, because the next step begins later. Does nothing if there is none."""
        arbiter = self._arbiter
        with arbiter.lock:
            if arbiter.holder is self and not self.is_computing:
                arbiter.grant(arbiter.next_waiting())

    def leave(self) -> None:
        """Removes the engine from the arbiter. Idempotent."""
        self.release()
        with self._arbiter.lock:
            self._arbiter.members.discard(self)


def _order(turns: StepTurns) -> tuple[Priority, float]:
    return turns.priority, turns.used_s

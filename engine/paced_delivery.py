"""Limits how often the readers of running answers are woken."""

from __future__ import annotations

from collections.abc import Sequence

from engine.events import Event, Started
from engine.stream import RequestStream, deliver_all


class PacedDelivery:
    """Delivers the events of decode steps. Used only on the native thread, the one that decodes.

    Readers are woken at most every `interval_s` seconds, and get the texts of several short steps as one event. On a
    machine with few cores a reader that is woken delays the decode, and handling three tokens together takes it hardly
    longer than handling one."""

    def __init__(self, interval_s: float) -> None:
        """With an interval of 0, readers are woken after every step."""
        self._interval_s = interval_s
        self._held: dict[RequestStream, None] = {}
        self._stepped_s = self._woken_s = float("-inf")

    def deliver(self, deliveries: Sequence[tuple[RequestStream, Sequence[Event]]], now: float) -> None:
        """Delivers the events of a step that ended at `now`. Events are held if the next step will probably end within
        the interval, unless one of them is the first of its request."""
        step_s, self._stepped_s = now - self._stepped_s, now
        is_first = any(isinstance(events[0], Started) for _, events in deliveries)
        if not is_first and now + step_s - self._woken_s < self._interval_s:
            for stream, events in deliveries:
                stream.hold(events)
                self._held[stream] = None
            return
        self._woken_s = now
        held, self._held = self._held, {}
        deliver_all([*((stream, ()) for stream in held), *deliveries])

    def flush(self) -> None:
        """Wakes the readers of all events that are held. Call this before work that may take longer than a step."""
        if self._held:
            held, self._held = self._held, {}
            deliver_all([(stream, ()) for stream in held])

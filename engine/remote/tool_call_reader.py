"""Reads tool calls of a streamed answer: in pieces, as whole calls, and without numbers."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass

from engine.events import Event, ToolCallDelta, ToolCallStarted
from engine.remote.untrusted_json import JsonObject, object_in, objects_in, text_in

MAX_CALLS = 1000
MAX_NAME = 1000


@dataclass(slots=True)
class _Call:
    id: str = ""
    index: int | None = None
    """The number of the call in our events; None until its name has arrived."""
    held: str = ""
    """Arguments that arrived before the name."""


class ToolCallReader:
    """Numbers the calls of one answer in the order in which they begin, and sends each id and name once."""

    def __init__(self, parallel: bool) -> None:
        """Without `parallel`, calls after the first one are left out."""
        self._limit = MAX_CALLS if parallel else 1
        self._by_number: dict[int, _Call] = {}
        self._by_id: dict[str, _Call] = {}
        self._last: _Call | None = None
        self.n_calls = 0

    def add(self, delta: JsonObject) -> list[Event]:
        events: list[Event] = []
        for call in objects_in(delta, "tool_calls"):
            events += self._add_call(call)
        if function := object_in(delta, "function_call"):  # the predecessor of `tool_calls`
            events += self._add_call({"index": 0, "function": function})
        return events

    def _add_call(self, given: JsonObject) -> list[Event]:
        function = object_in(given, "function")
        name, id = text_in(function, "name")[:MAX_NAME], text_in(given, "id")[:MAX_NAME]
        call = self._last = self._find(given.get("index"), id, name)
        call.id = call.id or id
        call.held += _arguments(function)
        events: list[Event] = []
        if call.index is None:
            if not name or self.n_calls >= self._limit:
                return []
            call.index, self.n_calls = self.n_calls, self.n_calls + 1
            events.append(ToolCallStarted(call.index, call.id or f"call_{uuid.uuid4().hex[:24]}", name))
        arguments, call.held = call.held, ""
        return [*events, ToolCallDelta(call.index, arguments)] if arguments else events

    def _find(self, number: object, id: str, name: str) -> _Call:
        """The call to which a piece belongs. A known number with a new id and a name begins another call, because some
        servers number all calls 0. Without a number, a new id begins a call, and so does a name without an id."""
        has_number = isinstance(number, int) and not isinstance(number, bool)
        found = self._by_id.get(id) if id else None
        if found is None and has_number and isinstance(number, int):
            known = self._by_number.get(number)
            is_other = known is not None and known.index is not None and id and name and known.id != id
            found = None if is_other else known
        elif found is None and not id and not name:
            found = self._last
        found = _Call() if found is None else found
        if isinstance(number, int) and has_number:
            self._by_number[number] = found
        if id:
            self._by_id[id] = found
        return found


def _arguments(function: JsonObject) -> str:
    """The arguments as JSON text. Some servers send an object."""
    found = function.get("arguments")
    if isinstance(found, dict):
        return json.dumps(found)
    return text_in(function, "arguments")

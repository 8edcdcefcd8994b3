"""Splits a response into server-sent events. The size of a line and of an event is limited."""

from __future__ import annotations

from collections.abc import Iterator

MAX_EVENT_BYTES = 8 << 20
"""A larger event ends the stream. The largest events are tool calls that a server sends as a whole."""


class EventTooLarge(Exception):
    """The server sent a line or an event of more than MAX_EVENT_BYTES."""


class EventDecoder:
    """Decodes the `data` of server-sent events. Other fields and comments are ignored.

    Lines end with LF or CRLF. A stream that is not closed by a blank line still gives its last event, in `close`."""

    def __init__(self, max_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._parts: list[bytes] = []
        self._n_held = 0
        self._data: list[bytes] = []
        self._n_data = 0

    def add(self, block: bytes) -> Iterator[bytes]:
        """Yields the data of each event that ends in `block`. Raises EventTooLarge."""
        *lines, rest = block.split(b"\n")
        if lines:
            lines[0] = b"".join((*self._parts, lines[0]))
            self._parts, self._n_held = [], 0
            for line in lines:
                event = self._line(line.removesuffix(b"\r"))
                if event is not None:
                    yield event
        if rest:
            self._parts.append(rest)
            self._n_held += len(rest)
            if self._n_held > self._max_bytes:
                raise EventTooLarge

    def close(self) -> Iterator[bytes]:
        """Yields the data of the last event if the stream ended without a blank line."""
        for line in (b"".join(self._parts), b""):
            if (event := self._line(line.removesuffix(b"\r"))) is not None:
                yield event
        self._parts = []

    def _line(self, line: bytes) -> bytes | None:
        if not line:
            data, self._data, self._n_data = self._data, [], 0
            return b"\n".join(data) if data else None
        if line.startswith(b"data:"):
            value = line[6:] if line.startswith(b"data: ") else line[5:]
            self._n_data += len(value) + 1
            if self._n_data > self._max_bytes:
                raise EventTooLarge
            self._data.append(value)
        return None

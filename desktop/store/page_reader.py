"""The rows in the pages of a damaged SQLite file, found without its tables of contents.

SQLite reaches a row through the pages above it; where those are damaged, whole rows lie in the file all the same.
The format is described at
https://www.sqlite.org/fileformat2.html (b-tree pages, record format). Pure.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

MAGIC = b"SQLite format 3\x00"
TABLE_LEAF_PAGE = 0x0D
PAGE_SIZE = 4096
"""Where the file's head is lost: what SQLite gives new files."""

Value = int | float | str | bytes | None

_INT_SIZES = (0, 1, 2, 3, 4, 6, 8)


class _Broken(Exception):
    """Not a row, or not a whole one."""


@dataclass(frozen=True, slots=True)
class PageReader:
    data: bytes
    page_size: int

    @classmethod
    def of(cls, data: bytes) -> PageReader:
        size = struct.unpack(">H", data[16:18])[0] if data.startswith(MAGIC) else PAGE_SIZE
        size = 65_536 if size == 1 else size
        return cls(data, size if size >= 512 and size & (size - 1) == 0 else PAGE_SIZE)

    def rows(self) -> Iterator[tuple[Value, ...]]:
        """Every whole row of any table, in the order of the pages."""
        for number in range(1, len(self.data) // self.page_size + 1):
            page = self._page(number)
            head = 100 if number == 1 else 0
            if page[head] != TABLE_LEAF_PAGE:
                continue
            n_cells = struct.unpack(">H", page[head + 3 : head + 5])[0]
            for place in range(min(n_cells, self.page_size // 4)):
                try:
                    yield self._row(page, head + 8 + 2 * place)
                except (_Broken, IndexError, struct.error, UnicodeDecodeError):
                    continue

    def _page(self, number: int) -> bytes:
        page = self.data[(number - 1) * self.page_size : number * self.page_size]
        if len(page) < self.page_size or number < 1:
            raise _Broken
        return page

    def _row(self, page: bytes, pointer: int) -> tuple[Value, ...]:
        at = struct.unpack(">H", page[pointer : pointer + 2])[0]
        n_payload, at = _varint(page, at)
        _, at = _varint(page, at)  # the rowid
        return _values(self._payload(page, at, n_payload))

    def _payload(self, page: bytes, at: int, n: int) -> bytes:
        """With what lies on further pages."""
        if n > len(self.data):
            raise _Broken
        most, least = self.page_size - 35, (self.page_size - 12) * 32 // 255 - 23
        if n <= most:
            return _exactly(page[at : at + n], n)
        here = least + (n - least) % (self.page_size - 4)
        here = here if here <= most else least
        found = _exactly(page[at : at + here], here)
        following = struct.unpack(">I", page[at + here : at + here + 4])[0]
        while len(found) < n:
            further = self._page(following)
            following = struct.unpack(">I", further[:4])[0]
            found += further[4 : 4 + n - len(found)]
        return found


def _exactly(data: bytes, n: int) -> bytes:
    if len(data) != n:
        raise _Broken
    return data


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(9):
        byte = data[at + place]
        if place == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + place + 1
    raise _Broken


def _values(payload: bytes) -> tuple[Value, ...]:
    n_head, at = _varint(payload, 0)
    if not 0 < n_head <= len(payload):
        raise _Broken
    body, values = n_head, []
    while at < n_head:
        kind, at = _varint(payload, at)
        value, size = _value(payload, body, kind)
        values.append(value)
        body += size
    if body != len(payload):
        raise _Broken
    return tuple(values)


def _value(payload: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind == 0:
        return None, 0
    if kind <= 6:
        size = _INT_SIZES[kind]
        return int.from_bytes(_exactly(payload[at : at + size], size), "big", signed=True), size
    if kind == 7:
        return float(struct.unpack(">d", payload[at : at + 8])[0]), 8
    if kind in (8, 9):
        return kind - 8, 0
    if kind < 12:
        raise _Broken
    size = (kind - 12) // 2
    data = _exactly(payload[at : at + size], size)
    return (data.decode() if kind % 2 else data), size

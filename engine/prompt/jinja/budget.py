"""Limits on time and memory of one rendering. A template is code from a model's file, so every operation is charged."""

from __future__ import annotations

from engine.prompt.jinja.values import Failure

MAX_INT_BITS = 256
_ENTRY_BYTES = 64
"""Of a short string and its slot in a list."""


def is_small(value: object) -> bool:
    """False only for integers whose arithmetic takes long."""
    return type(value) is not int or value.bit_length() <= MAX_INT_BITS


class Budget:
    """Steps limit the time, bytes the memory. Bytes count everything that was allocated, also what was freed since."""

    __slots__ = ("bytes", "steps")

    def __init__(self, steps: int, n_bytes: int) -> None:
        self.steps = steps
        self.bytes = n_bytes

    def spend(self, steps: int = 1) -> None:
        """Raises Failure where the template takes too long."""
        self.steps -= steps
        if self.steps < 0:
            raise Failure("it takes too long")

    def look(self, n_chars: int) -> None:
        """Charges for reading `n_chars` characters."""
        self.spend(1 + (n_chars >> 8))

    def allow(self, n_bytes: int) -> None:
        """Checks, before an allocation, that it fits into the budget. Raises Failure."""
        if n_bytes > self.bytes:
            raise Failure("it takes too much memory")

    def take(self, n_bytes: int) -> None:
        self.allow(n_bytes)
        self.bytes -= n_bytes

    def text(self, made: str) -> str:
        """Charges for a new string, and returns it."""
        self.take(len(made) if made.isascii() else 4 * len(made))
        return made

    def entries(self, n: int) -> None:
        """Charges for `n` new entries of lists or dictionaries."""
        self.spend(1 + (n >> 2))
        self.take(n * _ENTRY_BYTES)

    def number(self, made: object) -> object:
        if not is_small(made):
            raise Failure("a number is too large")
        return made

    def measure(self, value: object) -> tuple[int, int, int]:
        """The number of values within a value, the depth of their nesting, and the characters of its strings. Each is
        charged, so that cyclic or shared lists raise Failure here, before Python walks through them without limit."""
        n, n_chars, deepest = 0, 0, 0
        waiting = [(value, 1)]
        while waiting:
            each, depth = waiting.pop()
            self.spend()
            n += 1
            deepest = max(deepest, depth)
            if isinstance(each, str):
                n_chars += len(each)
                self.look(len(each))
            elif isinstance(each, list | tuple):
                waiting.extend((one, depth + 1) for one in each)
            elif isinstance(each, dict):
                waiting.extend((one, depth + 1) for pair in each.items() for one in pair)
        return n, deepest, n_chars

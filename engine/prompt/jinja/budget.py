"""What one rendering may cost. A template is code from a model's file, so everything that it does is paid for."""

from __future__ import annotations

from engine.prompt.jinja.values import Failure

MAX_INT_BITS = 256
_ENTRY_BYTES = 64
"""A string of a few letters and its place in a list."""


def is_small(value: object) -> bool:
    """False only for integers whose arithmetic takes long."""
    return type(value) is not int or value.bit_length() <= MAX_INT_BITS


class Budget:
    """Steps bound the time, bytes bound the memory: whatever is made counts, also when it is dropped again."""

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
        """Pays for reading so many characters."""
        self.spend(1 + (n_chars >> 8))

    def allow(self, n_bytes: int) -> None:
        """Before something large is made. Raises Failure where there is no room for it."""
        if n_bytes > self.bytes:
            raise Failure("it takes too much memory")

    def take(self, n_bytes: int) -> None:
        self.allow(n_bytes)
        self.bytes -= n_bytes

    def text(self, made: str) -> str:
        """Pays for a string."""
        self.take(len(made) if made.isascii() else 4 * len(made))
        return made

    def entries(self, n: int) -> None:
        """Pays for the entries of a list or a dictionary."""
        self.spend(1 + (n >> 2))
        self.take(n * _ENTRY_BYTES)

    def number(self, made: object) -> object:
        if not is_small(made):
            raise Failure("a number is too large")
        return made

    def measure(self, value: object) -> tuple[int, int, int]:
        """Values within a value, how deep they lie, and characters of its strings. Each costs a step, so that lists
        that hold each other, or one many times, end here and not in a loop of Python's own."""
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

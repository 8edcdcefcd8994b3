"""Limits of time and memory for one rendering. A template is untrusted code, so every operation is charged."""

from __future__ import annotations

from engine.prompt.jinja.values import Failure

MAX_INT_BITS = 256
_ENTRY_BYTES = 64
"""Of a short string and its slot in a list."""


def is_small(value: object) -> bool:
    """False only for integers whose arithmetic would be slow."""
    return type(value) is not int or value.bit_length() <= MAX_INT_BITS


class Budget:
    """Steps limit the time, bytes the memory. Bytes include memory that was already freed. All methods raise Failure
    when a limit is exceeded."""

    __slots__ = ("bytes", "steps")

    def __init__(self, steps: int, n_bytes: int) -> None:
        self.steps = steps
        self.bytes = n_bytes

    def charge_steps(self, steps: int = 1) -> None:
        """Charges for time."""
        self.steps -= steps
        if self.steps < 0:
            raise Failure("it takes too long")

    def charge_reading(self, n_chars: int) -> None:
        """Charges for reading `n_chars` characters."""
        self.charge_steps(1 + (n_chars >> 8))

    def check_bytes(self, n_bytes: int) -> None:
        """Checks before an allocation that it fits into the budget, without charging it."""
        if n_bytes > self.bytes:
            raise Failure("it takes too much memory")

    def charge_bytes(self, n_bytes: int) -> None:
        self.check_bytes(n_bytes)
        self.bytes -= n_bytes

    def charge_text(self, result: str) -> str:
        """Charges for a new string and returns it."""
        self.charge_bytes(len(result) if result.isascii() else 4 * len(result))
        return result

    def charge_entries(self, n: int) -> None:
        """Charges for `n` new entries of lists or dictionaries."""
        self.charge_steps(1 + (n >> 2))
        self.charge_bytes(n * _ENTRY_BYTES)

    def check_number(self, result: object) -> object:
        """Returns the number unless it is too large."""
        if not is_small(result):
            raise Failure("a number is too large")
        return result

    def measure(self, value: object) -> tuple[int, int, int]:
        """The number of nested values, their depth, and the characters of all strings. Charges for each, so cyclic or
        shared lists exceed the budget here instead of being walked without limit by Python."""
        n, n_chars, deepest = 0, 0, 0
        waiting = [(value, 1)]
        while waiting:
            each, depth = waiting.pop()
            self.charge_steps()
            n += 1
            deepest = max(deepest, depth)
            if isinstance(each, str):
                n_chars += len(each)
                self.charge_reading(len(each))
            elif isinstance(each, list | tuple):
                waiting.extend((one, depth + 1) for one in each)
            elif isinstance(each, dict):
                waiting.extend((one, depth + 1) for pair in each.items() for one in pair)
        return n, deepest, n_chars

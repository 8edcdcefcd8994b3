"""Limits the time and memory of one rendering.

A template is untrusted code, so every operation is charged to the budget.
"""

from __future__ import annotations

from engine.prompt.jinja.values import Failure

MAX_INT_BITS = 256
_ENTRY_BYTES = 64
"""Bytes of a short string and its slot in a list."""


def is_small(value: object) -> bool:
    """False for integers that are so large that arithmetic with them is slow; True for all other values."""
    return type(value) is not int or value.bit_length() <= MAX_INT_BITS


class Budget:
    """The steps and bytes that one rendering may still use.

    Steps limit the time, bytes the memory. Memory that was already freed counts too. All methods raise Failure when a
    limit is exceeded."""

    __slots__ = ("bytes", "steps")

    def __init__(self, steps: int, n_bytes: int) -> None:
        self.steps = steps
        self.bytes = n_bytes

    def charge_steps(self, steps: int = 1) -> None:
        """Charges `steps` for computing time."""
        self.steps -= steps
        if self.steps < 0:
            raise Failure("it takes too long")

    def charge_reading(self, n_chars: int) -> None:
        """Charges for reading `n_chars` characters."""
        self.charge_steps(1 + (n_chars >> 8))

    def check_bytes(self, n_bytes: int) -> None:
        """Checks, before an allocation, that it fits into the budget. Does not charge for it."""
        if n_bytes > self.bytes:
            raise Failure("it takes too much memory")

    def charge_bytes(self, n_bytes: int) -> None:
        self.check_bytes(n_bytes)
        self.bytes -= n_bytes

    def charge_text(self, result: str) -> str:
        """Charges for the memory of a new string, and returns the string."""
        self.charge_bytes(len(result) if result.isascii() else 4 * len(result))
        return result

    def charge_entries(self, n: int) -> None:
        """Charges for `n` new entries of lists or dictionaries."""
        self.charge_steps(1 + (n >> 2))
        self.charge_bytes(n * _ENTRY_BYTES)

    def check_number(self, result: object) -> object:
        """Returns `result`. Raises Failure if it is an integer that is too large."""
        if not is_small(result):
            raise Failure("a number is too large")
        return result

    def measure(self, value: object) -> tuple[int, int, int]:
        """Returns three numbers: the values nested in `value`, the depth of their nesting, and the characters of all
        strings.

        Charges one step for each value. A list that contains itself therefore exceeds the budget, and so does a list
        that contains another list very many times. Python itself would visit their values without limit."""
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

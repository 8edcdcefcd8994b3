"""Where each row of a long column stands, while most heights are only guessed. Pure."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate


class RowHeights:
    """RowHeights of rows in pixels, exact for those that were laid out. Offsets are summed up anew when asked for."""

    def __init__(self) -> None:
        self._heights: list[int] = []
        self._exact: list[bool] = []
        self._bottoms: list[int] | None = None

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, row: int) -> int:
        return self._heights[row]

    @property
    def total(self) -> int:
        bottoms = self._summed()
        return bottoms[-1] if bottoms else 0

    def is_exact(self, row: int) -> bool:
        return self._exact[row]

    def reset(self, guesses: list[int]) -> None:
        self._heights = guesses
        self._exact = [False] * len(guesses)
        self._bottoms = None

    def insert(self, row: int, guesses: list[int]) -> None:
        self._heights[row:row] = guesses
        self._exact[row:row] = [False] * len(guesses)
        self._bottoms = None

    def put(self, row: int, height: int) -> bool:
        """Sets the exact height; True where rows below have moved."""
        moved = self._heights[row] != height
        self._heights[row] = height
        self._exact[row] = True
        if moved:
            self._bottoms = None
        return moved

    def invalidate(self, row: int) -> None:
        """What was exact has become a guess."""
        self._exact[row] = False

    def top(self, row: int) -> int:
        return self._summed()[row - 1] if row else 0

    def row_at(self, y: int) -> int:
        """The row that covers `y`, the nearest one outside; -1 where there are none."""
        if not self._heights:
            return -1
        return min(bisect_right(self._summed(), max(0, y)), len(self._heights) - 1)

    def _summed(self) -> list[int]:
        if self._bottoms is None:
            self._bottoms = list(accumulate(self._heights))
        return self._bottoms

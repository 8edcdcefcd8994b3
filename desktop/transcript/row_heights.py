"""The heights and offsets of the rows of a column. Most heights are estimates. Qt-free."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate


class RowHeights:
    """The heights of rows in pixels: exact for rows that were laid out, estimated for all others."""

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
        bottoms = self._cumulated()
        return bottoms[-1] if bottoms else 0

    def is_exact(self, row: int) -> bool:
        return self._exact[row]

    def reset(self, estimates: list[int]) -> None:
        self._heights = estimates
        self._exact = [False] * len(estimates)
        self._bottoms = None

    def insert(self, row: int, estimates: list[int]) -> None:
        self._heights[row:row] = estimates
        self._exact[row:row] = [False] * len(estimates)
        self._bottoms = None

    def put(self, row: int, height: int) -> bool:
        """Sets the exact height of a row. Returns True if it differs from the previous height, so that the rows below
        move."""
        moved = self._heights[row] != height
        self._heights[row] = height
        self._exact[row] = True
        if moved:
            self._bottoms = None
        return moved

    def invalidate(self, row: int) -> None:
        """Marks the height of a row as an estimate."""
        self._exact[row] = False

    def invalidate_all(self) -> None:
        self._exact = [False] * len(self._heights)

    def top(self, row: int) -> int:
        return self._cumulated()[row - 1] if row else 0

    def row_at(self, y: int) -> int:
        """The row at the offset `y`, or the nearest row; -1 if there are no rows."""
        if not self._heights:
            return -1
        return min(bisect_right(self._cumulated(), max(0, y)), len(self._heights) - 1)

    def _cumulated(self) -> list[int]:
        if self._bottoms is None:
            self._bottoms = list(accumulate(self._heights))
        return self._bottoms

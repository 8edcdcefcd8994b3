"""Learns how long a step takes by the number of its rows, and what a draft token costs in comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.speculation.draft_length import assumed_cost

CLASSES = (1, 2, 4, 8, 16, 32, 48, 64)
"""Steps are measured together up to each of these numbers of rows. A row is a token whose logits are computed."""

NEWEST_WEIGHT = 0.2


class StepCost:
    """Learns the duration of steps without prompt tokens. Its callers pass all durations.

    Between two measured numbers of rows it interpolates. Beyond them it assumes that durations grow as in
    `assumed_cost`."""

    def __init__(self) -> None:
        self._measured: dict[int, tuple[float, float]] = {}
        """For each class, the average number of rows and the average duration."""
        self._model_token_s = 0.0
        """Average time in which the draft model drafts one token for each sequence; 0 if it was not measured yet."""

    def record(self, n_rows: int, seconds: float) -> None:
        kind = next((each for each in CLASSES if n_rows <= each), CLASSES[-1])
        rows, known = self._measured.get(kind, (float(n_rows), seconds))
        self._measured[kind] = (
            rows + NEWEST_WEIGHT * (n_rows - rows),
            known + NEWEST_WEIGHT * (seconds - known),
        )

    def seconds(self, n_rows: int) -> float:
        """Forecast duration of a step with `n_rows` rows; 0 if no step was measured yet."""
        return _forecast(sorted(self._measured.values()), n_rows)

    def of_draft(self, n_decoding: int) -> Callable[[int], float]:
        """Returns a function that gives the cost of a number of draft tokens, while `n_decoding` sequences get one
        token in each step. The unit is the time that all of them need for one token of one sequence."""
        points = sorted(self._measured.values())
        before = _forecast(points, n_decoding)
        if not before:
            return lambda n: assumed_cost(n, 0)
        return lambda n: (_forecast(points, n_decoding + n) - before) / (before / n_decoding)

    def record_model(self, n_tokens: int, seconds: float) -> None:
        """Records how long the draft model took. `n_tokens`: the number of tokens in the longest draft."""
        token_s, known = seconds / n_tokens, self._model_token_s
        self._model_token_s = known + NEWEST_WEIGHT * (token_s - known) if known else token_s

    def of_model_token(self, n_decoding: int) -> float | None:
        """Measured time of the draft model for one token, in steps of the main model for `n_decoding` sequences. None
        if one of them was not measured yet."""
        step_s = self.seconds(n_decoding)
        return self._model_token_s / step_s if self._model_token_s and step_s else None

    def n_rows_within(self, limit_s: float) -> int:
        """Largest number of rows of the measured classes with which a step is forecast to take at most `limit_s`."""
        return max((n for n in CLASSES if self.seconds(n) <= limit_s), default=1)


def _forecast(points: Sequence[tuple[float, float]], n_rows: int) -> float:
    """Forecast duration of a step with `n_rows` rows. `points` are measured numbers of rows and durations, in ascending
    order."""
    if not points:
        return 0.0
    below = next(((rows, known) for rows, known in reversed(points) if rows <= n_rows), None)
    above = next(((rows, known) for rows, known in points if rows >= n_rows), None)
    if below is not None and above is not None:
        share = (n_rows - below[0]) / (above[0] - below[0]) if above[0] > below[0] else 0.0
        return below[1] + share * max(0.0, above[1] - below[1])
    rows, known = below or points[0]
    return known * _assumed_step(n_rows) / _assumed_step(rows)


def _assumed_step(n_rows: float) -> float:
    """Assumed duration of a step, in units of a step with one row."""
    return 1.0 + assumed_cost(round(n_rows) - 1, 0) if n_rows > 1.0 else 1.0

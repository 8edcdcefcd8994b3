"""The table of figures shows every figure, including those that missed their bound or were skipped."""

from __future__ import annotations

from tests.bench.figure import Figure, Skipped
from tests.bench.report import table


def test_table_has_a_row_for_each_figure_and_marks_missed_bounds() -> None:
    kept = Figure("a.kept", 0.9731, 0.97, "ratio", "a bare | loop", "at least")
    missed = Figure("b.missed", 412.0, 400.0, "ms", "nothing")
    skipped = Skipped("c.skipped", "there is none here")
    known = {each.name: each.record() for each in (kept, missed, skipped)}
    rows = table(known, [*known, "d.unknown"]).splitlines()
    assert rows[-4:] == [
        "| `a.kept` | 0.973 | ≥ 0.97 | a bare / loop |",
        "| `b.missed` | **412 ms**, falls short | ≤ 400 | nothing |",
        "| `c.skipped` | – | | skipped: there is none here |",
        "| `d.unknown` | – | | not measured in this run |",
    ]
    assert "cores" in rows[0]

"""Tests that rendering takes time and memory in proportion to the length of the text, for chosen and for random texts.

`RENDER_FUZZ_S` sets how many seconds random texts are tried, and `RENDER_FUZZ_SEED` the seed."""

from __future__ import annotations

import os

import pytest

from tests.desktop.render.fuzzing import PIECES, check_text, fuzz, repeated

LINKED = {
    "footnotes": lambda n: "".join(f"[^{k}] " for k in range(n // 20)) + "".join(
        f"\n\n[^{k}]: b" for k in range(n // 20)
    ),
    "nested footnotes": lambda n: "[^0]" + "".join(f"\n\n[^{k}]: x [^{k + 1}]" for k in range(n // 20)),
    "reference links": lambda n: "".join(f"[a{k}]: b\n" for k in range(n // 12)) + "\n" + "[a1] " * (n // 12),
    "wide table": lambda n: "|" + "a|" * (n // 6) + "\n|" + "-|" * (n // 6) + "\n|" + "b|" * (n // 6),
    "surplus cells": lambda n: "|a|b|\n|-|-|\n|" + "c|" * (n // 2),
    "formulas in a table": lambda n: "|a|b|\n|-|-|\n" + "|$|x|$|\\|y\\||\n" * (n // 16),
    "rows without cells": lambda n: "|" + "a|" * 60 + "\n|" + "-|" * 60 + "\n" + "|b\n" * (n // 30),
    "runs of backticks": lambda n: "".join("a" + "`" * k for k in range(int((2 * n) ** 0.5))),
    "stars around": lambda n: "*" * (n // 2) + "a" + "*" * (n // 2),
    "brackets in a link": lambda n: "[" + "\\(" * (n // 2) + "](x) \\)",
    "headers of other widths": lambda n: "|a|\n|-|-|\n" * (n // 10),
    "quotes": lambda n: ">" * n + " deep",
    "list in list": lambda n: "".join("  " * k + "- a\n" for k in range(int(n**0.5))),
}  # fmt: skip


@pytest.mark.parametrize("piece", [pytest.param(piece, id=ascii(piece)) for piece in PIECES])
def test_text_that_repeats_one_piece_is_parsed_in_linear_time(piece: str) -> None:
    assert [*map(str, check_text(lambda n: repeated(piece, n)))] == []


@pytest.mark.parametrize("name", LINKED)
def test_text_that_is_costly_to_parse_is_parsed_in_linear_time(name: str) -> None:
    assert [*map(str, check_text(LINKED[name]))] == []


def test_random_texts_are_rendered_within_time_and_size_limits() -> None:
    seconds, seed = float(os.environ.get("RENDER_FUZZ_S", "2")), int(os.environ.get("RENDER_FUZZ_SEED", "4645"))
    assert fuzz(seconds, seed) == []

"""Tests of rendering formulas to SVG and MathML, with limits on time, size and memory."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from desktop.render import formula_rendering as formula_module
from desktop.render.formula_rendering import LIMIT_S, MAX_LENGTH, cached_formula, formula, mathml


def test_invalid_or_too_slow_formula_is_not_rendered() -> None:
    made = formula(r"\frac{a}{b}", display=True)
    assert made is not None
    assert "<path" in made.svg
    assert made.ascent > 10 < made.descent < made.width + 10 < 100
    assert cached_formula(r"\frac{a}{b}", True) == (made,)
    for wrong in (r"\frac{a", "{" * 300, "x^" * 100 + "2", "x" * 3000):
        assert formula(wrong, display=False) is None, wrong
    hostile = "\\frac{" * 20 + "x" + "}{y}" * 20
    started = time.thread_time()
    assert formula(hostile, display=True) is None
    assert time.thread_time() - started < 2 * LIMIT_S


@pytest.mark.parametrize(
    "source",
    [
        r"\hspace{99999999999em}x", r"x\hspace{100000em}x", r"x\hspace{-100000em}x", r"\hspace{1e400em}",
        r"\rule{1000000em}{1000000em}", r"\rule{1em}{100000em}", r"\kern1000000em x", r"\hskip 1000000em x",
    ],
)  # fmt: skip
def test_oversized_formula_is_not_rendered(source: str) -> None:
    made = formula(source, display=True)
    assert made is None or made.width * (made.ascent + made.descent) < 8_000_000


def test_formula_of_ten_thousand_characters_is_rejected_within_ten_milliseconds() -> None:
    source = "x+" * 5_000
    started = time.thread_time()
    assert formula(source, display=True) is None is mathml(source, display=True)
    assert time.thread_time() - started < 0.01
    assert len(source) > MAX_LENGTH


def test_formula_cache_is_limited_in_bytes() -> None:
    cache = formula_module._Cache()
    made = formula("x", display=False)
    assert made is not None
    for number in range(600):
        cache.put((f"{number}", False), replace(made, svg="x" * 200_000))
    assert cache.get(("599", False)) is not None
    assert cache.get(("0", False)) is None
    assert cache._n_bytes <= formula_module.MAX_CACHED_BYTES


def test_mathml_contains_the_latex_source_but_no_active_content() -> None:
    made = mathml(r"\frac{a}{b}<\href{javascript:x}{y}", display=True)
    assert made is not None
    assert made.startswith('<math display="block"><semantics>')
    assert r'<annotation encoding="application/x-tex">\frac{a}{b}&lt;\href{javascript:x}{y}</annotation>' in made
    assert "href=" not in made
    assert mathml(r"\text{<script>}", display=False) is None

"""Tests of the choice of models to compare."""

from __future__ import annotations

from desktop.compare.model_choice import MIN_MODELS, ChosenModels, ModelChoice
from tests.desktop.compare.fake_source import FakeSource
from tests.limited_engine import LimitedEngine


def models(n: int) -> list[ModelChoice]:
    return [ModelChoice(f"m{i}", f"Model {i}", "", lambda: FakeSource("m", LimitedEngine())) for i in range(n)]


def keys(chosen: ChosenModels) -> list[str]:
    return [each.key for each in chosen.chosen]


def test_first_model_is_chosen_and_two_to_four_can_be_compared() -> None:
    chosen = ChosenModels()
    chosen.offer(models(6))
    assert keys(chosen) == ["m0"]
    assert len(chosen.chosen) < MIN_MODELS
    for key in ("m4", "m2", "m3"):
        chosen.choose(key, True)
    assert keys(chosen) == ["m0", "m4", "m2", "m3"], "not in the order of choice"
    chosen.choose("m5", True)
    assert len(keys(chosen)) == 4
    assert chosen.can_start
    chosen.choose("m0", False)
    assert keys(chosen) == ["m4", "m2", "m3"]


def test_chosen_model_that_is_missing_is_chosen_again_when_it_comes_back() -> None:
    chosen = ChosenModels()
    chosen.offer(models(3))
    chosen.choose("m2", True)
    chosen.offer(models(2))
    assert keys(chosen) == ["m0"]
    chosen.offer(models(3))
    assert keys(chosen) == ["m0", "m2"]

"""Tests of the choice of the model that suits a machine best."""

from __future__ import annotations

import pytest

from engine.library.catalogue import CatalogueEntry, catalogue
from engine.library.memory_fit import MemoryFit, estimate_fit_from_size
from engine.library.recommendation import MEMORY_SHARE, best_for_machine

GIB = 2**30


def best(total_gib: float, bytes_per_s: float, *, free_share: float = 0.8) -> CatalogueEntry | None:
    total = round(total_gib * GIB)

    def fit_of(entry: CatalogueEntry) -> MemoryFit:
        free = round(free_share * total)
        return estimate_fit_from_size(
            entry.size_bytes, entry.n_params, entry.n_ctx_train, free, total, bytes_per_s, entry.n_active
        )

    return best_for_machine(catalogue(), fit_of, total)


@pytest.mark.parametrize("total_gib", [4, 8, 16, 32, 64, 128])
@pytest.mark.parametrize("bytes_per_s", [6e9, 13e9, 40e9, 100e9, 900e9])
def test_recommended_model_fits_and_is_fast_enough(total_gib: int, bytes_per_s: float) -> None:
    entry = best(total_gib, bytes_per_s)
    assert entry is not None
    assert entry.can_chat
    assert entry.size_bytes < MEMORY_SHARE * total_gib * GIB
    read_bytes = entry.size_bytes * (entry.n_active / entry.n_params if entry.n_active else 1.0)
    assert bytes_per_s / read_bytes >= (5 if "thinking" in entry.abilities else 3)


def test_more_memory_and_bandwidth_never_lead_to_a_less_capable_model() -> None:
    sizes, speeds = (4, 8, 16, 24, 32, 64, 128), (6e9, 13e9, 40e9, 100e9, 900e9)
    table = [[best(size, speed) for speed in speeds] for size in sizes]
    ranks = [[entry.rank if entry is not None else 0 for entry in row] for row in table]
    assert all(row == sorted(row) for row in ranks)
    assert all(list(column) == sorted(column) for column in zip(*ranks, strict=True))
    assert len({rank for row in ranks for rank in row}) >= 6


def test_no_model_is_recommended_without_room_or_measured_speed() -> None:
    assert best(16, 40e9, free_share=0.02) is None
    assert best(16, 0.0) is None
    assert best_for_machine(catalogue(), lambda entry: None, 16 * GIB) is None


def test_embedding_model_is_never_recommended() -> None:
    only = [entry for entry in catalogue() if not entry.can_chat]
    fit = estimate_fit_from_size(10**8, 10**8, 8192, 16 * GIB, 16 * GIB, 1e12)
    assert only
    assert best_for_machine(only, lambda entry: fit, 16 * GIB) is None

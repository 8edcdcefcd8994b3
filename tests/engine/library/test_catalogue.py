"""Tests of the catalogue of recommended models: its entries are complete, plausible, and loadable by llama.cpp."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine.library.catalogue import CatalogueEntry, catalogue
from engine.library.model_metadata import quantisation_in

BITS = {"Q8_0": (8.2, 9.0), "Q4_K_M": (4.6, 6.0), "Q4_K_XL": (4.4, 5.6), "Q4_0": (4.4, 5.2), "MXFP4": (4.2, 4.8)}
"""The least and the most bits per parameter of each quantisation. Small models have more, because their embeddings are
quantised less."""

NAMED_LICENCES = {"LFM Open License 1.0", "NVIDIA Nemotron Open Model License"}
SPDX = {"Apache-2.0", "MIT", "OpenMDW-1.1"}


@pytest.fixture(scope="module")
def entries() -> tuple[CatalogueEntry, ...]:
    return catalogue()


def test_catalogue_has_chat_models_from_below_half_a_billion_to_120_billion_parameters(
    entries: tuple[CatalogueEntry, ...],
) -> None:
    n_params = [entry.n_params for entry in entries if entry.can_chat]
    assert len(n_params) >= 20
    assert 0.3e9 <= min(n_params) <= 0.5e9
    assert 115e9 <= max(n_params) <= 125e9
    for lower, upper in ((1e9, 3e9), (3e9, 5e9), (7e9, 10e9), (10e9, 15e9), (18e9, 40e9), (60e9, 125e9)):
        assert any(lower <= n <= upper for n in n_params), f"none between {lower} and {upper}"


def test_catalogue_is_sorted_by_size_and_has_no_duplicates(entries: tuple[CatalogueEntry, ...]) -> None:
    assert [entry.size_bytes for entry in entries] == sorted(entry.size_bytes for entry in entries)
    for field in ("name", "repo", "file"):
        assert len({getattr(entry, field) for entry in entries}) == len(entries), field
    ranks = [entry.rank for entry in entries if entry.can_chat]
    assert len(set(ranks)) == len(ranks), "two models of equal rank"


def test_sizes_agree_with_parameters_and_quantisation(entries: tuple[CatalogueEntry, ...]) -> None:
    for entry in entries:
        least, most = BITS[entry.quantisation]
        assert least <= entry.size_bytes * 8 / entry.n_params <= most, entry.name
        assert quantisation_in(entry.file) == entry.quantisation
        assert entry.is_size_exact or entry.size_bytes % 10**7 == 0 or entry.size_bytes < 10**9, "looks exact"


def test_every_entry_has_a_licence_and_a_context_length(entries: tuple[CatalogueEntry, ...]) -> None:
    for entry in entries:
        assert entry.licence in SPDX | NAMED_LICENCES, entry.name
        assert 8192 <= entry.n_ctx_train <= 2**20, entry.name
        assert 0 <= entry.n_active < entry.n_params, entry.name


def test_llama_cpp_has_every_architecture_of_the_catalogue(entries: tuple[CatalogueEntry, ...]) -> None:
    spec = importlib.util.find_spec("llama_cpp")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "lib"
    library = next(path for path in folder.iterdir() if path.name.split(".")[0] in ("libllama", "llama"))
    code = library.read_bytes()
    missing = [entry.name for entry in entries if b"\0" + entry.architecture.encode() + b"\0" not in code]
    assert not missing


def test_invalid_entry_raises_value_error(entries: tuple[CatalogueEntry, ...], tmp_path: Path) -> None:
    file = tmp_path / "catalog.json"
    for wrong in ({"repo": "no-owner"}, {"size_bytes": 0}, {"abilities": ("flies",)}, {"rank": 0}, {"file": "a.bin"}):
        with pytest.raises(ValueError, match="not an entry of the catalogue"):
            replace(entries[0], **wrong)
    file.write_text(json.dumps({"models": [{"name": "incomplete"}]}))
    with pytest.raises(TypeError):
        catalogue(file)

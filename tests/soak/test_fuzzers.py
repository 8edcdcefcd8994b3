"""The soak test reports the findings of fuzzers, and crashes of the fuzzers themselves."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tests.soak import fuzzers
from tests.soak.fuzzers import FUZZERS, run_all


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(fuzzers, "ROOT", tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(fuzzers.__file__).resolve().parents[2]))
    return tmp_path


def test_findings_and_crashes_of_fuzzers_are_reported(folder: Path) -> None:
    (folder / "finds.py").write_text("def fuzz(seconds, seed): return [f'{seconds} {seed}']")
    (folder / "crashes.py").write_text("def fuzz(seconds, seed): raise ValueError('broken')")
    finding, crash = run_all(2.0, 7, ("finds", "crashes"))
    assert finding == "finds: 1.0 7"
    assert crash.startswith("crashes: ended with 1: ")
    assert "broken" in crash


@pytest.mark.parametrize("module", FUZZERS)
def test_every_fuzzer_module_has_a_fuzz_function(module: str) -> None:
    assert callable(importlib.import_module(module).fuzz)

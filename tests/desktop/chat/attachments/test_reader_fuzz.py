"""Fuzzing of the readers for a fixed number of rounds, or for INGLENOOK_READER_FUZZ_S seconds."""

from __future__ import annotations

import os

import pytest

from tests.desktop.chat.attachments import reader_fuzz

SECONDS = float(os.environ.get("INGLENOOK_READER_FUZZ_S", "0"))
"""Duration of the second test, which uses random seeds; 0 skips it."""


@pytest.mark.parametrize("seed", range(4))
def test_damaged_files_raise_reader_errors_in_bounded_time(seed: int) -> None:
    assert reader_fuzz.run(60, seed, n_rounds=120) == 120


@pytest.mark.skipif(not SECONDS, reason="runs for as long as INGLENOOK_READER_FUZZ_S says")
@pytest.mark.timeout(SECONDS + 120)
def test_damaged_files_for_configured_duration() -> None:
    assert reader_fuzz.run(SECONDS, int.from_bytes(os.urandom(4), "big")) > 0

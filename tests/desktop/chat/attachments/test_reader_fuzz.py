"""Fuzzing of the code that reads attached files and imported chats: for a fixed number of rounds, and for
INGLENOOK_READER_FUZZ_S seconds if this variable is set."""

from __future__ import annotations

import os

import pytest

from tests.desktop.chat.attachments import reader_fuzz

SECONDS = float(os.environ.get("INGLENOOK_READER_FUZZ_S", "0"))
"""Duration of the test with random seeds. With 0 it is skipped."""


@pytest.mark.parametrize("seed", range(4))
def test_reading_damaged_files_returns_text_or_raises_reader_error_within_limits(seed: int) -> None:
    assert reader_fuzz.run(60, seed, n_rounds=120) == 120


@pytest.mark.skipif(not SECONDS, reason="runs for as long as INGLENOOK_READER_FUZZ_S says")
@pytest.mark.timeout(SECONDS + 120)
def test_reading_damaged_files_from_random_seed_stays_within_limits() -> None:
    assert reader_fuzz.run(SECONDS, int.from_bytes(os.urandom(4), "big")) > 0

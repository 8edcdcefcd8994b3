"""A short run of `tests.engine.library.gguf_fuzz`: corrupt GGUF files end in bounded time and memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import ModelFileError
from engine.library.split_files import read_model
from tests.engine.library.gguf_fuzz import judge, trial
from tests.model_files.tiny_llama import write_llama

FOUND = (72, 127, 205, 215, 239, 280, 284, 349, 913, 941)
"""Seeds of files that once took gigabytes or many seconds to check, for example because of millions of layers or
billions of empty strings."""


def test_corrupt_headers_end_in_bounded_time_and_memory(tmp_path: Path) -> None:
    outcomes = [judge(seed, tmp_path) for seed in (*FOUND, *range(40))]
    assert [outcome for outcome in outcomes if outcome.problem] == []


def test_load_trial_of_corrupt_file_ends_in_bounded_time(tmp_path: Path) -> None:
    assert trial(4, tmp_path).problem == ""


@pytest.mark.parametrize("layers", [10_001, 2**31, 2**32 - 1])
def test_header_with_excessive_number_of_layers_is_rejected(tmp_path: Path, layers: int) -> None:
    path = write_llama(tmp_path / "deep.gguf", {"llama.block_count": layers})
    with pytest.raises(ModelFileError, match="block_count is out of range"):
        read_model(path)

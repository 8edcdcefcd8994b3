"""Split models, fingerprints of model files, and temporary read errors."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from engine.errors import ModelFileError, Reason
from engine.library.fingerprint import fingerprint
from engine.library.load_trial import LoadTrial
from engine.library.model_scan import read_model_file
from engine.library.model_scan_cache import FileStamp, ModelScanCache
from engine.library.split_files import total_size
from tests.model_files.tiny_llama import write_llama


@pytest.fixture
def split(tmp_path: Path) -> Path:
    """A split model of two files, of which the second is much larger. Returns the path of the first file."""
    first, second = (tmp_path / f"big-0000{n}-of-00002.gguf" for n in (1, 2))
    write_llama(first)
    shutil.copyfile(first, second)
    os.truncate(second, 200 << 20)
    return first


def test_total_size_includes_all_files_of_split_model(split: Path) -> None:
    assert total_size(split) == split.stat().st_size + (200 << 20)


def test_memory_limit_of_load_trial_includes_all_files_of_split_model(
    split: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.library.load_trial.SPARE_BYTES", 40 << 20)
    code = "import time; held = b'x' * (120 << 20); time.sleep(0.3); print('probe: good')"
    LoadTrial(None, lambda path: [sys.executable, "-c", code]).check(split, lambda: False)


def test_load_trial_reports_missing_file_of_split_model(split: Path) -> None:
    split.with_name("big-00002-of-00002.gguf").unlink()
    with pytest.raises(ModelFileError, match="1 of its 2 parts are missing"):
        LoadTrial(None, lambda path: pytest.fail("tried")).check(split, lambda: False)


@pytest.mark.parametrize("part", [1, 2])
def test_fingerprint_changes_with_weights_in_the_middle_of_a_file(split: Path, part: int) -> None:
    path = split.with_name(f"big-0000{part}-of-00002.gguf")
    os.truncate(path, 64 << 20)
    before, found = fingerprint(split, "kind"), path.stat()
    with path.open("r+b") as file:
        file.seek(20 << 20)
        file.write(b"other weights" * (1 << 17))
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert fingerprint(split, "kind") != before, "only the time tells"


def test_fingerprint_depends_on_modification_time_but_not_on_name(tmp_path: Path) -> None:
    path = write_llama(tmp_path / "a.gguf")
    before = fingerprint(path, "kind")
    moved = path.rename(tmp_path / "b.gguf")
    assert fingerprint(moved, "kind") == before
    os.utime(moved, ns=(1, 1))
    assert fingerprint(moved, "kind") != before


def test_model_file_is_read_again_after_a_temporary_read_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, cache = write_llama(tmp_path / "tiny.gguf"), ModelScanCache(None)
    read = Path.open

    def failing(path: Path, *arguments: str) -> object:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "open", failing)
    assert "Input/output error" in read_model_file(path, cache).problem
    monkeypatch.setattr(Path, "open", read)
    assert read_model_file(path, cache).problem == ""


def test_scan_cache_keeps_message_template_and_values_of_a_problem(tmp_path: Path) -> None:
    file, path, stamp = tmp_path / "library.json", tmp_path / "a.gguf", FileStamp(1, 2)
    cache = ModelScanCache(file)
    cache.put(path, stamp, Reason("{n} of its {all} parts are missing", n=1, all=2))
    cache.save()
    again = ModelScanCache(file)
    again.load()
    problem = again.get(path, stamp)
    assert isinstance(problem, Reason)
    assert problem == "1 of its 2 parts are missing"
    assert (problem.template, problem.values) == ("{n} of its {all} parts are missing", {"n": "1", "all": "2"})

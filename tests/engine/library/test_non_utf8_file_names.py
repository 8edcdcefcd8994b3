"""Model files whose names are not UTF-8, as on old disks and in old archives, can be scanned and loaded."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from engine.backend import LoadSettings
from engine.errors import ModelFileError
from engine.files.display_name import display_name
from engine.library.gguf_header import read_header
from engine.library.load_trial import LoadTrial
from engine.library.model_scan import scan
from engine.library.model_scan_cache import ModelScanCache
from engine.native.backend import open_native
from engine.native.embedder import open_embedder
from tests.model_files.tiny_llama import write_llama

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="names are Unicode there")

MARK = "\N{REPLACEMENT CHARACTER}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    named = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9 model.gguf"))
    write_llama(tmp_path / "plain.gguf").rename(named)
    return named


def test_display_name_has_replacement_character_for_invalid_bytes() -> None:
    assert display_name(os.fsdecode(b"caf\xe9")) == f"caf{MARK}"
    assert display_name("naïve 漢") == "naïve 漢"


def test_model_with_non_utf8_name_loads_and_its_name_is_valid_text(path: Path, tmp_path: Path) -> None:
    LoadTrial(tmp_path / "probed").check(path, lambda: False)
    backend = open_native(path, LoadSettings(n_ctx=64), lambda progress: True)
    backend.close()
    embedder = open_embedder(path, LoadSettings(n_ctx=64), lambda progress: True)
    embedder.close()
    assert backend.info.id == embedder.info.id == f"caf{MARK} model"
    for shown in (backend.info.id, backend.info.name, embedder.info.id):
        assert json.dumps(shown, ensure_ascii=False).encode()


def test_folder_with_non_utf8_name_is_scanned_and_cached(path: Path, tmp_path: Path) -> None:
    write_llama(tmp_path / "other.gguf")
    cache = ModelScanCache(tmp_path / "cache.json")
    found = scan([tmp_path], cache)
    cache.save()
    again = ModelScanCache(tmp_path / "cache.json")
    again.load()
    assert scan([tmp_path], again) == found
    assert sorted(model.name for model in found.models) == [
        f"Caf{MARK} Model".replace("C", "c").replace("M", "m"),
        "other",
    ]
    assert all(not model.problem for model in found.models)


def test_error_message_about_file_with_non_utf8_name_is_valid_text(path: Path) -> None:
    path.write_bytes(b"GGUF")
    with pytest.raises(ModelFileError) as refused:
        read_header(path)
    assert str(refused.value).encode()

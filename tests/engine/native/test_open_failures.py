"""Failures to open a model with llama.cpp: the model, its context and its batch are freed."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.backend import LoadSettings
from engine.errors import EngineError
from engine.native.backend import open_native
from engine.native.embedder import NativeEmbedder, open_embedder
from engine.native.llama import C
from engine.native.model import NativeModel
from tests.model_files.tiny_llama import write_llama


class NativeObjectCounts:
    """Counts the models, contexts and batches that llama.cpp has created and not yet freed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.alive = {"model": 0, "context": 0, "batch": 0}
        for name, kind, step in (
            ("llama_model_load_from_file", "model", 1),
            ("llama_model_free", "model", -1),
            ("llama_init_from_model", "context", 1),
            ("llama_free", "context", -1),
            ("llama_batch_init", "batch", 1),
            ("llama_batch_free", "batch", -1),
        ):
            monkeypatch.setattr(C, name, self._counting(getattr(C, name), kind, step))

    def _counting(self, call, kind: str, step: int):  # type: ignore[no-untyped-def]
        def counted(*arguments: object) -> object:
            self.alive[kind] += step
            return call(*arguments)

        return counted


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("engine.native.backend", "total_size"),
        ("engine.native.backend", "fingerprint"),
        ("engine.native.embedder", "total_size"),
        ("engine.native.model", "release_mapped_pages"),
    ],
)
def test_file_error_while_opening_a_model_frees_its_llama_cpp_objects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, name: str
) -> None:
    path, counts = write_llama(tmp_path / "tiny.gguf"), NativeObjectCounts(monkeypatch)

    def fail(*arguments: object) -> object:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(f"{place}.{name}", fail)
    with pytest.raises((EngineError, OSError)):
        (open_embedder if "embedder" in place else open_native)(path, LoadSettings(n_ctx=64), lambda progress: True)
    assert counts.alive == {"model": 0, "context": 0, "batch": 0}


def test_failure_to_read_the_vocabulary_frees_the_model_and_it_can_be_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, counts = write_llama(tmp_path / "tiny.gguf"), NativeObjectCounts(monkeypatch)

    def failing(model: NativeModel) -> object:
        raise MemoryError

    monkeypatch.setattr(NativeModel, "vocabulary", failing)
    with pytest.raises(MemoryError):
        open_native(path, LoadSettings(n_ctx=64), lambda progress: True)
    assert counts.alive == {"model": 0, "context": 0, "batch": 0}
    monkeypatch.undo()
    embedder = open_embedder(path, LoadSettings(n_ctx=64), lambda progress: True)
    assert isinstance(embedder, NativeEmbedder)
    embedder.close()

"""Fixtures of the model tests: a fake hub with one model, and a folder with two models and a damaged file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.desktop.models.page_driver import NAME, REPO
from tests.engine.library.fake_hub import FakeHub, FakeRepo
from tests.model_files.tiny_models import TINY_MODELS


@pytest.fixture
def model(tmp_path: Path) -> bytes:
    return TINY_MODELS["plain"].write(tmp_path / "made.gguf").read_bytes()


@pytest.fixture
def fake_hub(model: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    hub = FakeHub({REPO: FakeRepo({NAME: model}, gguf={"total": 43_000})}).start()
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    monkeypatch.setattr("desktop.models.library_controller.default_model_folder", lambda: tmp_path / "nowhere")
    yield hub
    hub.stop()


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "model_folder"
    folder.mkdir()
    TINY_MODELS["plain"].write(folder / "Alpha-Q4_0.gguf")
    TINY_MODELS["gemma3"].write(folder / "Beta-Q8_0.gguf")
    (folder / "Gamma.gguf").write_text("this is no model, but it is long enough")
    return folder

"""Failures of a card in Vulkan. The card is Vulkan's software device, and a preloaded library makes it fail."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.devices.backend_libraries import file_name, find_libraries
from engine.devices.library_folders import library_folders
from tests.model_files.tiny_llama import write_llama

ROOT = Path(__file__).resolve().parents[3]


def library() -> Path:
    """The library for Vulkan, if it can be tried here."""
    found = find_libraries(library_folders(), "vulkan") if sys.platform.startswith("linux") else []
    if not found or shutil.which("cc") is None:
        pytest.skip("there is no library for graphics cards, or no compiler")
    if b"app_guarded_decode" not in found[0].path.read_bytes():
        pytest.skip(f"{file_name('vulkan')} is of an older build")
    try:
        ctypes.CDLL("libvulkan.so.1")
    except OSError:
        pytest.skip("there is no Vulkan")
    if not list(Path("/usr/share/vulkan/icd.d").glob("lvp_icd*")):
        pytest.skip("there is no software device")
    return found[0].path


def run(folder: Path, model: Path, *scenario: object) -> list[dict[str, Any]]:
    """Runs a scenario of failing_card_process.py."""
    path, preloaded = library(), folder / "failing_card.so"
    source = Path(__file__).with_name("failing_card.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", preloaded, source, "-ldl"], check=True)
    environment = {"LD_PRELOAD": str(preloaded), "GGML_VK_VISIBLE_DEVICES": "0", "PYTHONPATH": str(ROOT)}
    module = "tests.engine.native.failing_card_process"
    command = [sys.executable, "-m", module, path, model, *map(str, scenario)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE, check=True)
    reports: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return reports


def test_lost_card_ends_the_answer_and_the_model_can_be_loaded_again(tmp_path: Path) -> None:
    """First the card recovers, then it does not: then the processor computes the model."""
    first, recovered, on_processor = run(tmp_path, write_llama(tmp_path / "tiny.gguf"), "lose")
    lost = {"error": "CardLost", "state": "dead", "answer": first["answer"]}
    assert first["n_layers"] > 0
    assert recovered == first | lost
    assert on_processor == lost | {"n_layers": 0, "n_layers_wanted": first["n_layers"]}


def test_model_is_loaded_partly_on_a_card_with_less_memory_than_it_reports(tmp_path: Path, model_path: Path) -> None:
    """All 31 layers take 116 MiB."""
    loads = run(tmp_path, model_path, "limit", 100 << 20)
    assert all(0 < each["n_layers"] < each["n_layers_wanted"] == 31 for each in loads)
    assert loads[1]["n_left"] == loads[2]["n_left"]

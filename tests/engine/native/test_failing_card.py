"""Failures of a card in Vulkan. The card is Vulkan's software device, and a preloaded library makes it fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.failing_card.preload import failing_environment, missing_part, vulkan_library
from tests.model_files.tiny_llama import write_llama

ROOT = Path(__file__).resolve().parents[3]


def run(folder: Path, model: Path, *scenario: object) -> list[dict[str, Any]]:
    """Runs a scenario of failing_card_process.py."""
    if missing := missing_part():
        pytest.skip(missing)
    if b"app_guarded_decode" not in vulkan_library().read_bytes():
        pytest.skip("the library for graphics cards is of an older build")
    module = "tests.engine.native.failing_card_process"
    command = [sys.executable, "-m", module, *map(str, (vulkan_library(), model, *scenario))]
    environment = os.environ | failing_environment(folder) | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
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

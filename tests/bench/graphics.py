"""`gpu.same_answer`, `gpu.fit_low`, `gpu.fit_high` and `gpu.reload_leak`: greedy answers and memory on a card.

The card may be a software device, such as lavapipe, which computes the same as a real one. The figures are skipped
where there is no library for graphics cards. Memory is what llama.cpp reports of its buffers on the card: a software
device has no memory of its own that could be measured.

`python -m tests.bench.graphics answer|fit|reload|load …` runs one case and prints its result as JSON."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from engine.backend import Chunk, LoadSettings
from engine.devices.backend_libraries import find_libraries
from engine.devices.library_folders import library_folders
from engine.native import llama
from engine.native.backend import NativeBackend, open_native
from engine.native.devices import load_backend_library
from tests.bench.app_process import ROOT
from tests.bench.app_process import environment as app_environment
from tests.bench.engine_run import default_model
from tests.bench.figure import Figure, Skipped
from tests.failing_card.preload import SOFTWARE_DEVICE, allocated_bytes, failing_environment, missing_part
from tests.model_files.tiny_models import TINY_MODELS

N_TOKENS, MIN_LEAD = 24, 0.02
"""Length of an answer, and the lead in logits below which two tokens count as a near tie: rounding may decide it."""

PROMPT = "the sea is wide, and nobody has counted its waves"
FIT_CASES = tuple((n_ctx, n_layers) for n_ctx in (512, 2048, 8192) for n_layers in (8, 20, 31))
"""Context lengths, and layers on the card. All 31 layers of the default model are the whole model."""

N_LOADS = 12
TIMEOUT_S = 900
MB = 1024 * 1024
_BUFFER = re.compile(r"(\S+) +(?:model|KV|RS|compute|output) buffer size *= *([\d.]+) MiB")


def same_answer() -> Figure | Skipped:
    if not find_libraries(library_folders(), "vulkan"):
        return Skipped("gpu.same_answer", "there is no library for graphics cards")
    results: dict[str, dict[str, Any]] = {}
    for name in TINY_MODELS:
        with contextlib.suppress(subprocess.CalledProcessError):  # a driver may crash
            results[name] = _child("answer", name)
    n_same, ties = (sum(each[key] for each in results.values()) for key in ("same", "ties"))
    crashed = ", ".join(name for name in TINY_MODELS if name not in results) or "none"
    cards = " ".join({each["card"] for each in results.values()})
    kinds = f"{len(TINY_MODELS)} kinds of memory on {cards}; near ties: {ties}; the driver crashed with: {crashed}"
    return Figure("gpu.same_answer", n_same / len(TINY_MODELS), 1.0, "of all", kinds, "at least")


def fit() -> tuple[Figure | Skipped, ...]:
    if not find_libraries(library_folders(), "vulkan"):
        why = "there is no library for graphics cards"
        return Skipped("gpu.fit_low", why), Skipped("gpu.fit_high", why)
    cases = {f"{n_ctx:,} tokens, {n_layers} layers": _child("fit", n_ctx, n_layers) for n_ctx, n_layers in FIT_CASES}
    shares = {case: each["predicted"] / each["measured"] for case, each in cases.items()}
    low, high = min(shares, key=lambda case: shares[case]), max(shares, key=lambda case: shares[case])
    return (
        Figure("gpu.fit_low", shares[low], 0.9, "×", f"the least of {len(shares)}, at {low}", "at least"),
        Figure("gpu.fit_high", shares[high], 1.1, "×", f"the most of {len(shares)}, at {high}"),
    )


def reload_leak() -> Figure | Skipped:
    """The growth of resident memory from the third of twelve loads to the last."""
    if missing := missing_part():
        return Skipped("gpu.reload_leak", missing)
    with TemporaryDirectory() as folder:
        result = _child("reload", environment=failing_environment(Path(folder)))
    grown = result["resident"][-1] - result["resident"][2]
    card = [n / MB for n in result["card"]]
    against = (
        f"{result['resident'][2] / MB:.0f} MB after the third of {N_LOADS} loads; "
        f"left on the card after the third and the last unload: {card[2]:.1f} and {card[-1]:.1f} MB"
    )
    return Figure("gpu.reload_leak", max(grown / MB, card[-1] - card[2]), 5.0, "MB", against)


def _child(*arguments: object, environment: Mapping[str, str] = SOFTWARE_DEVICE) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.graphics", *map(str, arguments)]
    env = {**environment, **app_environment()}
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, timeout=TIMEOUT_S, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def answers(name: str) -> dict[str, object]:
    """Compares a greedy answer on the card with that on the processor, up to the first near tie."""
    with TemporaryDirectory() as folder:
        path = TINY_MODELS[name].write(Path(folder) / "tiny.gguf")
        expected, leads = _answer(path, LoadSettings(n_ctx=512, devices=()))
        got, _ = _answer(path, LoadSettings(n_ctx=512))
    first = next((i for i in range(N_TOKENS) if got[i] != expected[i]), N_TOKENS)
    is_tie = first < N_TOKENS and leads[first] < MIN_LEAD
    card = open_cards()
    return {"same": first == N_TOKENS or is_tie, "ties": int(is_tie), "card": card, "n_equal": first}


def _answer(path: Path, settings: LoadSettings) -> tuple[list[int], list[float]]:
    """Returns the tokens of a greedy answer, and the lead of each in logits."""
    backend = open_native(path, settings, lambda progress: True)
    _check_place(backend, on_card=settings.devices is None)
    tokens = backend.tokenize(PROMPT, add_special=True)
    backend.decode([Chunk(0, 0, tokens, sample_last=True)], 1)
    row, answer, leads = len(tokens) - 1, list[int](), list[float]()
    for n in range(N_TOKENS):
        logits = backend.logits(row)
        second, best = logits.argsort()[-2:]
        leads.append(float(logits[best] - logits[second]))
        answer.append(int(best))
        backend.decode([Chunk(0, len(tokens) + n, [answer[-1]], sample_last=True)], 1)
        row = 0
    backend.close()
    return answer, leads


def _check_place(backend: NativeBackend, *, on_card: bool) -> None:
    memory = backend.info.memory
    assert memory is not None
    assert bool(memory.offload.devices) == on_card


def fitting(n_ctx: int, n_layers: int) -> dict[str, int]:
    """Loads the default model, and returns the predicted memory on the card, and that of llama.cpp's buffers there."""
    lines: list[str] = []

    def keep(level: int, text: bytes, _data: object) -> None:
        lines.append(text.decode(errors="replace"))

    llama._keep_callback = llama.C.llama_log_callback(keep)
    settings = LoadSettings(n_ctx=n_ctx, n_gpu_layers=n_layers)
    backend = open_native(default_model(), settings, lambda progress: True)
    _check_place(backend, on_card=True)
    assert backend.info.memory is not None
    offload = backend.info.memory.offload
    backend.close()
    found = _BUFFER.findall("".join(lines))
    measured = sum(float(size) for name, size in found if name in offload.devices)
    if os.environ.get("SHOW_BUFFERS"):
        print(*(f"{name} {size}" for name, size in found), sep="\n")
    return {"predicted": sum(offload.device_bytes), "measured": round(measured * (1 << 20))}


def reloading() -> dict[str, list[int]]:
    """Loads the default model N_LOADS times, with a decode each. Returns this process's memory and that on the card
    after each unload."""
    resident, card = list[int](), list[int]()
    for _ in range(N_LOADS):
        backend = open_native(default_model(), LoadSettings(n_ctx=512), lambda progress: True)
        _check_place(backend, on_card=True)
        backend.decode([Chunk(0, 0, backend.tokenize(PROMPT, add_special=True), sample_last=True)], 1)
        backend.close()
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)  # otherwise the heap, with its gaps, grows until about the seventh load
        resident.append(psutil.Process().memory_info().rss)
        card.append(allocated_bytes())
    return {"resident": resident, "card": card}


def loading(n_loads: int) -> dict[str, object]:
    """Loads the default model on the card this many times."""
    for _ in range(n_loads):
        open_native(default_model(), LoadSettings(), lambda progress: True).close()
    return {}


def open_cards() -> str:
    """Makes llama.cpp know the cards. Returns the name of the first."""
    from engine.native.devices import devices

    if not devices():
        load_backend_library(find_libraries(library_folders(), "vulkan")[0].path)
    return devices()[0].name


if __name__ == "__main__":
    open_cards()
    case, *values = sys.argv[1:]
    run: dict[str, Callable[..., object]] = {"answer": answers, "fit": fitting, "reload": reloading, "load": loading}
    print(json.dumps(run[case](*(int(each) if each.isdigit() else each for each in values))))

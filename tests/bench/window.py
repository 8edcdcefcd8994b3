"""Measures the app with the real model: first paint, stalls of the event loop, decode speed, memory, and CPU use when
idle.

Each run is a process of its own, in which `app_driver` acts as the user."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from engine.backend import LoadSettings
from engine.native.backend import open_native
from tests.bench.app_process import ROOT, TIMEOUT_S, BareWindow, command, environment, paint_s, run
from tests.bench.bare_model import BareModel, speeds_of_best_count
from tests.bench.engine_run import default_model
from tests.bench.figure import Figure, Skipped, spread
from tests.failing_card.preload import SOFTWARE_DEVICE, missing_part

MB = 1024 * 1024
IDLE_S, SETTLE_S, N_IDLE_RUNS = 20.0, 6.0, 3
N_SPEED_TOKENS, N_SPEED_RUNS = 400, 7
"""The number of tokens is large, since the end of an answer is detected up to 50 ms late."""


def first_paint(n_runs: int = 7) -> Figure:
    """Time from the start of the process to the app's first paint, divided by that of a bare PySide6 window."""
    with tempfile.TemporaryDirectory() as profile:
        # these first runs only fill the disk cache, and are not measured
        paint_s("paint", profile), paint_s("bare-paint")
        ours, bare = [], []
        for _ in range(n_runs):
            bare.append(paint_s("bare-paint"))
            ours.append(paint_s("paint", profile))
    ratios = [mine / theirs for mine, theirs in zip(ours, bare, strict=True)]
    against = f"a bare window's {spread(bare)} s; ours {spread(ours)} s"
    return Figure("window.first_paint", statistics.median(ratios), 1.6, "ratio", against)


def stall(n_tokens: int = 200, n_runs: int = 5) -> Figure:
    """The longest stall of the app's event loop, from the start of the app to the end of an answer, minus that of an
    empty window.

    While the empty window is measured, another process loads the same model and decodes as many tokens."""
    ours, bare = [], []
    for _ in range(n_runs):
        with BareWindow() as window:
            load = [sys.executable, "-m", "tests.bench.bare_model", "2", str(n_tokens)]
            subprocess.run(load, cwd=ROOT, env=environment(), check=True)
        bare.append(1000 * window.longest_s)
        with tempfile.TemporaryDirectory() as profile:
            ours.append(1000 * float(run("chat-watched", profile, str(n_tokens))["longest_s"]))
    added = [mine - theirs for mine, theirs in zip(ours, bare, strict=True)]
    against = f"an idle loop beside the same load: {spread(bare)} ms; ours {spread(ours)} ms"
    return Figure("window.stall", statistics.median(added), 40.0, "ms", against)


def card_stall(n_loads: int = 3, n_runs: int = 3) -> Figure | Skipped:
    """The longest stall of the app's event loop while a model is loaded on a graphics card, minus that of an empty
    window beside a process that loads the same model there. The first load after the start is not measured."""
    if missing := missing_part():
        return Skipped("gpu.window_stall", missing)
    ours, bare = [], []
    load = [sys.executable, "-m", "tests.bench.graphics", "load", str(n_loads)]
    with tempfile.TemporaryDirectory() as profile:
        run("reload", profile, "1", variables=SOFTWARE_DEVICE)  # tries the library, which is loaded at once from now on
        for _ in range(n_runs):
            with BareWindow() as window:
                subprocess.run(load, cwd=ROOT, env={**environment(), **SOFTWARE_DEVICE}, check=True)
            bare.append(1000 * window.longest_s)
            result = run("reload", profile, str(n_loads), variables=SOFTWARE_DEVICE)
            assert result["is_on_card"]
            ours.append(1000 * float(result["longest_s"]))
    added = [mine - theirs for mine, theirs in zip(ours, bare, strict=True)]
    against = f"an idle loop beside the same load: {spread(bare)} ms; ours {spread(ours)} ms"
    return Figure("gpu.window_stall", statistics.median(added), 50.0, "ms", against)


def speed() -> Figure:
    """Tokens per second that appear in the window, divided by the speed of a minimal llama_decode loop with its best
    thread count. The two are measured in turn."""
    ours, rounds = [], []
    for _ in range(N_SPEED_RUNS):
        tokens_per_s, n_tokens = _window_tokens_per_s()
        ours.append(tokens_per_s)
        with BareModel(default_model(), n_ctx=4096) as bare:
            # as many tokens as in the window, since longer sequences are decoded more slowly
            rounds.append(bare.speeds(n_tokens))
    speeds = speeds_of_best_count(rounds)
    ratios = [mine / theirs for mine, theirs in zip(ours, speeds, strict=True)]
    against = f"bare llama_decode, greedy, best thread count: {spread(speeds)} tokens/s"
    return Figure("window.speed", statistics.median(ratios), 0.95, "ratio", against, "at least")


def memory(n_runs: int = 3) -> Figure:
    """Resident memory of the app after an answer, minus the size of the model file, the KV memory, and the memory of an
    empty window."""
    backend = open_native(default_model(), LoadSettings(), lambda progress: True)
    info = backend.info
    backend.close()
    added = []
    for _ in range(n_runs):
        with BareWindow() as bare:
            subprocess.run([sys.executable, "-c", ""], cwd=ROOT, env=environment(), check=True)
        with tempfile.TemporaryDirectory() as profile:
            resident = int(run("chat", profile, "100")["resident"])
        added.append((resident - info.size_bytes - info.kv_bytes - bare.resident) / MB)
    against = (
        f"{resident / MB:.0f} MB less model {info.size_bytes / MB:.0f}, KV {info.kv_bytes / MB:.0f}, "
        f"bare window {bare.resident / MB:.0f} MB"
    )
    return Figure("app.memory", statistics.median(added), 130.0, "MB", against)


def idle_cpu() -> Figure:
    """CPU time of the idle app in percent of one core. Its window is open, its model is loaded, and an answer has
    ended."""
    shares, n_threads = [], 0
    for _ in range(N_IDLE_RUNS):
        with tempfile.TemporaryDirectory() as profile:
            share, n_threads = _idle_percent(Path(profile))
        shares.append(share)
    against = f"one core; the whole process with its {n_threads} threads: {spread(shares)} %"
    return Figure("window.idle_cpu", statistics.median(shares), 0.5, "%", against)


def _window_tokens_per_s() -> tuple[float, int]:
    """The decode speed from the first text in the window to the last, and the number of tokens of the answer.

    For the speed, the tokens of the first text are not counted, since they were decoded before it appeared."""
    with tempfile.TemporaryDirectory() as profile:
        result = run("chat", profile, str(N_SPEED_TOKENS))
    share = 1 - result["n_chars_first"] / result["n_chars"]
    return float(result["n_tokens"] * share / result["reading_s"]), int(result["n_tokens"])


def _idle_percent(profile: Path) -> tuple[float, int]:
    with subprocess.Popen(
        command("idle", str(profile)), cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["ready"]
        time.sleep(SETTLE_S)  # in this time the title of the chat is generated, and changes are written to disk
        app = psutil.Process(process.pid)
        before, started_s = _cpu_s(app), time.monotonic()
        time.sleep(IDLE_S)
        used = (_cpu_s(app) - before) / (time.monotonic() - started_s)
        n_threads = app.num_threads()
        process.terminate()
        process.wait(TIMEOUT_S)
    return 100 * used, n_threads


def _cpu_s(process: psutil.Process) -> float:
    """CPU seconds of the process and its children."""
    every = [process, *process.children(recursive=True)]
    return float(sum(times.user + times.system for times in (each.cpu_times() for each in every)))

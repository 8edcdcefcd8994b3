"""Measures the window with long chats and long answers. A stall of the event loop is compared with the stalls of the
same event loop when it is idle."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from typing import Any

from tests.bench.app_process import ROOT, environment
from tests.bench.engine_run import percentile
from tests.bench.figure import Figure, spread

SHORT, LONG = 10, 10_000
N_RUNS = 3
MB = 1 << 20


def chats() -> tuple[Figure, ...]:
    runs = [(_run("chat", str(SHORT)), _run("chat", str(LONG))) for _ in range(N_RUNS)]
    longs = [long for _, long in runs]
    shorts = [short for short, _ in runs]
    return (
        *_stalls(shorts, longs),
        _median("window.open_long", [1000 * each["open_s"] for each in longs], 120.0, "ms", "10,000 messages, 5 MB"),
        _median(
            "window.resize",
            [1000 * max(each["frames_s"]) for each in longs],
            33.0,
            "ms",
            f"the slowest of {len(longs[0]['frames_s'])} frames; half take less than "
            f"{1000 * statistics.median(longs[0]['frames_s']):.1f} ms",
        ),
        _median(
            "window.long_memory",
            [each["resident"] / MB for each in longs],
            60.0,
            "MB",
            f"{SHORT} messages: {spread([each['resident'] / MB for each in shorts])} MB",
        ),
    )


def _stalls(shorts: list[dict[str, Any]], longs: list[dict[str, Any]]) -> tuple[Figure, Figure, Figure]:
    def p99(each: dict[str, Any], name: str) -> float:
        return 1000 * percentile(each[name], 0.99)

    idle = [p99(each, "idle_s") for each in longs]
    streamed = [p99(each, "stream_s") for each in longs]
    longest = [1000 * (max(each["stream_s"]) - max(each["idle_s"])) for each in longs]
    growth = [p99(long, "stream_s") / p99(short, "stream_s") for short, long in zip(shorts, longs, strict=True)]
    added = [mine - theirs for mine, theirs in zip(streamed, idle, strict=True)]
    against = f"the same loop idle: {spread(idle)} ms; while 200 tokens/s stream {spread(streamed)} ms"
    both = f"p99 with {LONG} messages ÷ with {SHORT}: {spread(growth)}"
    longest_text = (
        f"streaming {spread([1000 * max(each['stream_s']) for each in longs])} ms, less the idle loop's longest"
    )
    return (
        _median("window.stream_stall_p99", added, 16.0, "ms", against),
        _median("window.stream_stall_longest", longest, 33.0, "ms", longest_text),
        _median("window.stream_stall_alike", growth, 1.2, "ratio", both),
    )


def answer() -> Figure:
    runs = [_run("answer") for _ in range(N_RUNS)]
    ratios = [each["late_s"] / each["early_s"] for each in runs]
    against = f"the 100th token: {spread([1000 * each['early_s'] for each in runs])} ms"
    return _median("window.long_answer", ratios, 1.5, "ratio", against)


def _median(name: str, values: list[float], bound: float, unit: str, against: str) -> Figure:
    return Figure(name, statistics.median(values), bound, unit, against)


def _run(*scenario: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.long_chat_driver", *scenario]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True, timeout=180, check=True
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result

"""Runs the figures, prints them and writes build/bench.json and build/bench.md. Exit code 1 where one falls short."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable

from tests.bench import report
from tests.bench.figure import Figure, Result

FIGURES = {
    "window.first_paint": "first_paint:measure",
    "window.stall": "stall:measure",
    "window.speed": "window_speed:measure",
    "window.hostile_stall": "hostile_window:measure",
    "window.idle_cpu": "idle_cpu:measure",
    "app.memory": "memory:measure",
    "window.stream_stall_p99": "window_long:chats",
    "window.stream_stall_longest": "window_long:chats",
    "window.stream_stall_alike": "window_long:chats",
    "window.open_long": "window_long:chats",
    "window.resize": "window_long:chats",
    "window.long_memory": "window_long:chats",
    "window.long_answer": "window_long:answer",
    **{f"window.chats_{name}": "chats_list:measure" for name in ("open", "scroll", "change", "archive", "filter")},
    "store.kill9": "store_kill9:measure",
    "store.kill9_gone_ms": "store_kill9:measure",
    "http.speed": "http_stream:one_stream_engine",
    "http.one_stream": "http_stream:one_stream",
    "http.one_stream_engine": "http_stream:one_stream_engine",
    "http.ttft_share": "http_stream:ttft_share",
    "http.vs_llama_server": "peer:measure",
    "http.vs_llama_server_ttft": "peer:measure",
    "http.vs_llama_cpp_server": "peer:measure_llama_cpp_server",
    "http.vs_llama_cpp_server_ttft": "peer:measure_llama_cpp_server",
    "http.idle_sockets": "http_idle:measure",
    "http.fuzz": "http_fuzz:measure",
    "http.vanish": "http_vanish:measure",
    "http.vanish_memory": "http_vanish:measure",
    "engine.one_stream": "streams:one_stream",
    "engine.eight_streams": "streams:eight_streams",
    "engine.vs_llama_server": "peer:measure",
    "engine.window_gap": "beside:measure",
    "engine.window_gap_longest": "beside:measure",
    "engine.prompt_delay": "beside:measure",
    "engine.prompt_delay_idle": "beside:measure",
    "engine.window_share": "beside:measure",
    "engine.busy_neighbour": "streams:busy_neighbour",
    "engine.reopen": "reuse:reopen",
    "engine.second_turn": "reuse:second_turn",
    "engine.fork": "reuse:fork",
    "engine.constrained": "constrained:measure",
    "engine.overhead": "overhead:measure",
    "engine.overhead_16": "overhead:measure",
    "engine.leak": "leak:measure",
    "library.scan": "library_scan:measure",
    "library.rescan": "library_scan:measure",
    "library.fit_low": "library_fit:measure",
    "library.fit_high": "library_fit:measure",
    "store.search": "store_search:measure",
    "store.import": "store_import:measure",
    "store.import_stall": "store_import:measure",
    "ship.setup": "ship_setup:measure",
    "ship.installed_size": "ship_size:measure",
    "ship.deb_size": "ship_size:measure",
    "ship.first_paint": "ship_paint:measure",
    "ship.read_speed": "ship_speed:measure",
    "ship.write_speed": "ship_speed:measure",
}
"""Name → the module and function here that measures it. A function that gives several figures from one run is called
once for all of them."""


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in FIGURES]
    if unknown:
        print(f"no figure is called {', '.join(unknown)}; there are: {', '.join(FIGURES)}", file=sys.stderr)
        return 2
    wanted = names or list(FIGURES)
    results: list[Result] = []
    for place in dict.fromkeys(FIGURES[name] for name in wanted):
        measured = [result for result in _measure(place) if result.name in wanted]
        results += measured
        for result in measured:
            print(result.row(), flush=True)
        report.write({**report.known(), **{result.name: result.record() for result in measured}}, list(FIGURES))
    return 0 if all(result.ok for result in results if isinstance(result, Figure)) else 1


def _measure(place: str) -> tuple[Result, ...]:
    module, function = place.split(":")
    measure: Callable[[], Result | tuple[Result, ...]] = getattr(
        importlib.import_module(f"tests.bench.{module}"), function
    )
    result = measure()
    return result if isinstance(result, tuple) else (result,)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Measures figures, prints them and writes build/bench.json and build/bench.md.

The exit code is 1 if a figure misses its bound, 2 for a usage error, 3 if another process uses the CPU, and 130 after
an interruption."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable

from tests.bench import report
from tests.bench.busy_processes import still_busy_processes
from tests.bench.child_processes import no_process_left
from tests.bench.figure import Figure, Result
from tests.bench.pairs import N_PAIRS, PAIRS_VARIABLE

FIGURES = {
    "window.first_paint": "window:first_paint",
    "window.stall": "window:stall",
    "window.speed": "window:speed",
    "window.hostile_stall": "hostile_input:measure",
    "window.idle_cpu": "window:idle_cpu",
    "app.memory": "window:memory",
    "window.stream_stall_p99": "long_chat:chats",
    "window.stream_stall_longest": "long_chat:chats",
    "window.stream_stall_alike": "long_chat:chats",
    "window.open_long": "long_chat:chats",
    "window.resize": "long_chat:chats",
    "window.long_memory": "long_chat:chats",
    "window.long_answer": "long_chat:answer",
    **{f"window.chats_{name}": "chat_list:measure" for name in ("open", "scroll", "change", "archive", "filter")},
    "store.kill9": "store_kill9:measure",
    "store.kill9_gone_ms": "store_kill9:measure",
    "http.speed": "http_stream:one_stream_engine",
    "http.one_stream": "vs_llama_server:one_stream",
    "http.one_stream_sampled": "vs_llama_server:one_stream_sampled",
    "http.one_stream_engine": "http_stream:one_stream_engine",
    "http.ttft_share": "http_stream:ttft_share",
    "http.vs_llama_server": "vs_llama_server:eight_streams",
    "http.vs_llama_server_ttft": "vs_llama_server:eight_streams",
    "http.vs_llama_server_sampled": "vs_llama_server:eight_streams_sampled",
    "http.busy": "vs_llama_server:busy",
    "http.long_prompt": "vs_llama_server:long_prompt",
    "http.of_machine_one": "share_of_machine:one_stream",
    "http.of_machine": "share_of_machine:eight_streams",
    "http.of_machine_prompt": "share_of_machine:long_prompt",
    "http.vs_llama_cpp_server": "vs_llama_cpp_server:measure",
    "http.vs_llama_cpp_server_ttft": "vs_llama_cpp_server:measure",
    "remote.overhead": "remote_overhead:first_token",
    "remote.overhead_ms": "remote_overhead:first_token",
    "remote.throughput": "remote_overhead:throughput",
    "http.idle_sockets": "http_idle_connections:measure",
    "http.fuzz": "http_fuzz:measure",
    "http.vanish": "http_disconnects:measure",
    "http.vanish_memory": "http_disconnects:measure",
    "engine.one_stream": "decode_speed:one_stream",
    "engine.eight_streams": "decode_speed:eight_streams",
    "engine.window_gap": "concurrent_prefill:measure",
    "engine.window_gap_longest": "concurrent_prefill:measure",
    "engine.prompt_delay": "concurrent_prefill:measure",
    "engine.prompt_delay_idle": "concurrent_prefill:measure",
    "engine.window_share": "concurrent_prefill:measure",
    "engine.short_behind_long": "short_behind_long:questions",
    "engine.long_before_short": "short_behind_long:questions",
    "engine.stream_gap": "short_behind_long:stream_gap",
    "engine.reproducible": "reproducible:measure",
    "engine.busy_neighbour": "decode_speed:busy_neighbour",
    "engine.reopen": "kv_reuse:reopen",
    "engine.second_turn": "kv_reuse:second_turn",
    "engine.fork": "kv_reuse:fork",
    "engine.ngram_edit": "speculation:ngram_edit",
    "engine.ngram_prose": "speculation:ngram_prose",
    "engine.constrained": "constrained_decoding:measure",
    "engine.overhead": "step_overhead:measure",
    "engine.overhead_16": "step_overhead:measure",
    "engine.overhead_per_sequence": "step_scaling:measure",
    "engine.leak": "memory_leak:measure",
    "pool.swap": "model_swaps:swap",
    "pool.swaps": "model_swaps:under_load",
    "pool.swaps_leak": "model_swaps:under_load",
    "library.scan": "library_scan:measure",
    "library.rescan": "library_scan:measure",
    "library.fit_low": "memory_estimate:measure",
    "library.fit_high": "memory_estimate:measure",
    "gpu.same_answer": "graphics:same_answer",
    "gpu.fit_low": "graphics:fit",
    "gpu.fit_high": "graphics:fit",
    "gpu.reload_leak": "graphics:reload_leak",
    "gpu.window_stall": "window:card_stall",
    "store.search": "store_search:measure",
    "store.import": "store_import:measure",
    "store.import_stall": "store_import:measure",
    "ship.setup": "packages:setup",
    "ship.installed_size": "packages:size",
    "ship.deb_size": "packages:size",
    "ship.first_paint": "packages:first_paint",
    "ship.read_speed": "packages:speed",
    "ship.write_speed": "packages:speed",
}
"""The function that measures each figure, as module:function in this folder. A function that returns several figures is
called only once."""


def main(arguments: list[str]) -> int:
    options = _options(arguments)
    unknown = [name for name in options.names if name not in FIGURES]
    if unknown:
        print(f"unknown figures: {', '.join(unknown)}; known: {', '.join(FIGURES)}", file=sys.stderr)
        return 2
    if options.pairs:
        os.environ[PAIRS_VARIABLE] = str(options.pairs)
    with no_process_left():
        try:
            return _measure_all(options.names or list(FIGURES), beside_load=options.beside_load)
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return 130


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measures figures of Inglenook.")
    parser.add_argument("names", nargs="*", metavar="FIGURE", help="a figure to measure; default: all")
    parser.add_argument("--beside-load", action="store_true", help="measure although other processes use the CPU")
    parser.add_argument("--pairs", type=int, help=f"rounds of a comparison; default: {N_PAIRS}")
    return parser.parse_args(arguments)


def _measure_all(wanted: list[str], *, beside_load: bool) -> int:
    results: list[Result] = []
    for source in dict.fromkeys(FIGURES[name] for name in wanted):
        if not beside_load and (busy := still_busy_processes()):
            print("not measured, because the machine is not idle:", *busy, sep="\n  ", file=sys.stderr)
            print("--beside-load measures all the same", file=sys.stderr)
            return 3
        measured = [result for result in _measure(source) if result.name in wanted]
        results += measured
        for result in measured:
            print(result.row(), flush=True)
        report.write({**report.known(), **{result.name: result.record() for result in measured}}, list(FIGURES))
    return 0 if all(result.ok for result in results if isinstance(result, Figure)) else 1


def _measure(source: str) -> tuple[Result, ...]:
    module, function = source.split(":")
    measure: Callable[[], Result | tuple[Result, ...]] = getattr(
        importlib.import_module(f"tests.bench.{module}"), function
    )
    result = measure()
    return result if isinstance(result, tuple) else (result,)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

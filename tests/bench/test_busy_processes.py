"""Benchmarks refuse to run beside a busy process, and name it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from tests.bench import __main__ as bench
from tests.bench import report
from tests.bench.busy_processes import BusyProcess, busy_processes
from tests.bench.figure import Figure

SAMPLE_S = 0.3


@pytest.fixture
def neighbour() -> Iterator[int]:
    """The process id of a process that uses a core and is not a child of this one."""
    start = "subprocess.Popen([sys.executable, '-c', 'while True: pass'], stdout=subprocess.DEVNULL)"
    code = f"import subprocess, sys; print({start}.pid)"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    pid = int(done.stdout)
    yield pid
    subprocess.run(["kill", "-9", str(pid)], check=True)


def test_process_that_uses_a_core_is_found_with_its_id_and_share(neighbour: int) -> None:
    found = {each.pid: each for each in busy_processes(SAMPLE_S)}
    assert found[neighbour].percent > 10
    assert str(neighbour) in str(found[neighbour])


def test_own_children_do_not_count_as_busy() -> None:
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as child:
        try:
            assert child.pid not in {each.pid for each in busy_processes(SAMPLE_S)}
        finally:
            child.kill()


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replaces the measurement of `http.busy`, whose runs are recorded, and the report."""
    runs: list[str] = []

    def measure(source: str) -> tuple[Figure, ...]:
        runs.append(source)
        return (Figure("http.busy", 2.0, 1.8, "ratio", "a peer", "at least"),)

    monkeypatch.setattr(bench, "_measure", measure)
    monkeypatch.setattr(report, "write", lambda known, names: None)
    monkeypatch.setattr(bench, "still_busy_processes", lambda: [BusyProcess(12, "indexer", 97.0)])
    return runs


def test_bench_beside_a_busy_process_measures_nothing_and_names_it(
    measured: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.main(["http.busy"]) == 3
    assert measured == []
    assert "indexer (process 12) uses 97 % of a core" in capsys.readouterr().err


def test_beside_load_measures_beside_a_busy_process(measured: list[str]) -> None:
    assert bench.main(["--beside-load", "http.busy"]) == 0
    assert measured == ["vs_llama_server:busy"]


def test_interrupted_bench_leaves_no_process_and_exits_with_130(
    measured: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    children = []

    def interrupted(source: str) -> tuple[Figure, ...]:
        children.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"]))
        raise KeyboardInterrupt

    monkeypatch.setattr(bench, "_measure", interrupted)
    assert bench.main(["--beside-load", "http.busy"]) == 130
    assert not psutil.pid_exists(children[0].pid)
    children[0].wait(5)

"""A terminated benchmark ends the processes that it started."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCHMARK = """
import signal, subprocess, sys, time
from tests.bench.child_processes import no_process_left

nested = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background process ignores SIGINT
with no_process_left():
    child = subprocess.Popen([sys.executable, "-c", nested])
    print(child.pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_a_benchmark_and_all_its_descendants(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", BENCHMARK], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as benchmark:
        assert benchmark.stdout is not None
        child = psutil.Process(int(benchmark.stdout.readline()))
        while not (nested := child.children()):
            pass
        benchmark.send_signal(number)
        assert benchmark.wait(20) != 0
    psutil.wait_procs([child, *nested], 5)
    assert not any(each.is_running() for each in (child, *nested))

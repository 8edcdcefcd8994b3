"""Finds processes that use the CPU and would distort a measurement."""

from __future__ import annotations

import time
from dataclasses import dataclass

import psutil

SAMPLE_S = 1.0
LEAST_PERCENT = 10.0
N_TRIES = 10
"""The number of samples that are taken until one shows no busy process."""


@dataclass(frozen=True, slots=True)
class BusyProcess:
    pid: int
    name: str
    percent: float
    """CPU time in percent of one core."""

    def __str__(self) -> str:
        return f"{self.name} (process {self.pid}) uses {self.percent:.0f} % of a core"


def busy_processes(sample_s: float = SAMPLE_S, least_percent: float = LEAST_PERCENT) -> list[BusyProcess]:
    """The processes that used at least `least_percent` of a core during `sample_s` seconds, busiest first.

    This process and its descendants are not included."""
    own = psutil.Process()
    ours = {own.pid, *(child.pid for child in own.children(recursive=True))}
    before, started = _cpu_seconds(), time.monotonic()
    time.sleep(sample_s)
    after, elapsed = _cpu_seconds(), time.monotonic() - started
    found = [
        BusyProcess(pid, name, 100 * (used - before[pid][1]) / elapsed)
        for pid, (name, used) in after.items()
        if pid in before and pid not in ours
    ]
    return sorted((each for each in found if each.percent >= least_percent), key=lambda each: -each.percent)


def still_busy_processes(n_tries: int = N_TRIES, sample_s: float = SAMPLE_S) -> list[BusyProcess]:
    """Samples until no process is busy, at most `n_tries` times. Returns the busy processes of the last sample."""
    busy: list[BusyProcess] = []
    for _ in range(n_tries):
        busy = busy_processes(sample_s)
        if not busy:
            break
    return busy


def _cpu_seconds() -> dict[int, tuple[str, float]]:
    """Name and CPU seconds of each process, by process id."""
    found = {}
    for process in psutil.process_iter(["name", "cpu_times"]):
        times = process.info["cpu_times"]
        if times is not None:
            found[process.pid] = (process.info["name"], times.user + times.system)
    return found

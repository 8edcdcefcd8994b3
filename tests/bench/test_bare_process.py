"""The minimal loop in a process of its own."""

from __future__ import annotations

from tests.bench.bare_process import bare_process


def test_process_returns_a_speed_for_each_thread_count() -> None:
    with bare_process(2) as bare:
        for _ in range(2):
            speeds = bare.speeds(3)
            assert 1 in speeds
            assert min(speeds.values()) > 0

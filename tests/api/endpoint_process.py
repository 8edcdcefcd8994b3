"""Runs an endpoint with the fake model in its own process: `python -m tests.api.endpoint_process [OPEN_FILES]`.

It prints its port, and serves until its standard input is closed. OPEN_FILES limits the files that it may open; idle
connections then end soon, so that clients that wait for a place need not wait long.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.api.live_endpoint import KEY, live
from tests.fakes import FakeOpener, Script

ROOT = Path(__file__).resolve().parents[2]
PROBE_INTERVAL_S = 0.02
MEMORY_INTERVAL_S = 0.005


@dataclass
class Cost:
    """What a request cost the server in time and memory."""

    health_s: float = 0.0
    """The longest response time of `/health`, in seconds."""
    grown_bytes: int = 0
    """Largest increase of the resident memory, in bytes."""


@dataclass
class Served:
    """A server process. `root`: the server's address. `client`: an HTTP client that sends the server's key."""

    process: subprocess.Popen[str]
    root: str
    client: httpx.Client = field(init=False)
    errors: str = ""
    """The process's standard error, once it has ended."""

    def __post_init__(self) -> None:
        self.client = httpx.Client(base_url=self.root, headers={"x-api-key": KEY}, trust_env=False, timeout=60)

    @property
    def resident_bytes(self) -> int:
        return int(psutil.Process(self.process.pid).memory_info().rss)

    @contextmanager
    def measured(self) -> Iterator[Cost]:
        """Measures the response time of `/health` and the process's memory while the block runs."""
        load, done, before = Cost(), threading.Event(), self.resident_bytes
        with httpx.Client(base_url=self.root, trust_env=False, timeout=60) as prober:

            def probe() -> None:
                while not done.is_set():
                    began = time.monotonic()
                    prober.get("/health")
                    load.health_s = max(load.health_s, time.monotonic() - began)
                    done.wait(PROBE_INTERVAL_S)

            def watch() -> None:
                while not done.wait(MEMORY_INTERVAL_S):
                    load.grown_bytes = max(load.grown_bytes, self.resident_bytes - before)

            threads = [threading.Thread(target=each) for each in (probe, watch)]
            for thread in threads:
                thread.start()
            try:
                yield load
            finally:
                done.set()
                for thread in threads:
                    thread.join()


@contextmanager
def served(*arguments: str) -> Iterator[Served]:
    command = [sys.executable, "-m", "tests.api.endpoint_process", *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise AssertionError(f"the server did not start: {process.communicate()[1]}")
        found = Served(process, f"http://127.0.0.1:{int(line)}")
        try:
            yield found
        finally:
            found.client.close()
            _, found.errors = process.communicate(timeout=30)


def main(arguments: list[str]) -> None:
    if arguments:
        import resource

        resource.setrlimit(resource.RLIMIT_NOFILE, (int(arguments[0]), int(arguments[0])))
    changes: dict[str, Any] = {"header_timeout_s": 1.0} if arguments else {}
    with live(FakeOpener(Script(b"Hello there.")), **changes) as endpoint:
        os.write(1, f"{endpoint.server.port}\n".encode())
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1:])

"""The minimal loop (`bare_model`) in a process of its own.

In the engine's process, libgomp would count the threads of both, find more threads than cores, and stop spinning at
barriers. Then both would be slower than either is alone.

`python -m tests.bench.bare_process N_SEQUENCES` answers each line on stdin, a number of tokens, with a line of JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.app_process import ROOT, environment
from tests.bench.bare_model import BareModel
from tests.bench.engine_run import default_model


class BareProcess:
    """The running process. It waits while it has no task."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def speeds(self, n_tokens: int) -> dict[int, float]:
        """See `BareModel.speeds`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{n_tokens}\n")
        self._process.stdin.flush()
        return {int(count): speed for count, speed in json.loads(self._process.stdout.readline()).items()}


@contextmanager
def bare_process(n_sequences: int) -> Iterator[BareProcess]:
    command = [sys.executable, "-m", "tests.bench.bare_process", str(n_sequences)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield BareProcess(process)
        finally:
            process.kill()


def main() -> None:
    with BareModel(default_model(), n_sequences=int(sys.argv[1])) as bare:
        for line in sys.stdin:
            print(json.dumps(bare.speeds(int(line))), flush=True)


if __name__ == "__main__":
    main()

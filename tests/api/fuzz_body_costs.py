"""Searches for request bodies that cost the endpoint too much time or memory.

Run by `python -m tests.api.fuzz_body_costs [SECONDS]`. Sends large bodies, and measures `/health` and the server
process. `openapi_fuzzer` searches for wrong answers instead.
"""

from __future__ import annotations

import itertools
import os
import random
import sys
import time

import httpx

from tests.api.costly_bodies import Attack, attack, routes
from tests.api.endpoint_process import Served, served
from tests.api.live_endpoint import ask

SECONDS_VARIABLE = "INGLENOOK_FUZZ_SECONDS"

MAX_HEALTH_S = 2.0
MAX_ANSWER_S = 15.0
MAX_GROWN_BYTES = 400_000_000
"""Maximum growth of the server's memory in bytes: about ten times what a normal body of the largest size needs."""


def fuzz(seconds: float, seed: int = 4645) -> list[str]:
    """Sends bodies to every route in turn for `seconds`. Returns a line for each problem."""
    chance, problems = random.Random(seed), list[str]()
    deadline = time.monotonic() + seconds
    with served() as server:
        for path in itertools.cycle(routes()):
            if time.monotonic() >= deadline or len(problems) >= 20:
                break
            problems += try_attack(server, attack(path, chance))
    return problems


def try_attack(server: Served, sent: Attack) -> list[str]:
    """Sends a body and then a normal request. Returns a line for each problem.

    Problems are server errors, too much time or memory, and a normal request that is not answered."""
    began, found, status = time.monotonic(), [], 0
    with server.measured() as load:
        try:
            answer = server.client.post(sent.path, content=sent.content, headers={"content-type": "application/json"})
            status = answer.status_code
            if status >= 500 and status != 503:
                found.append(f"{status} {answer.text[:100]}")
        except httpx.HTTPError as error:
            found.append(repr(error))
    took_s = time.monotonic() - began
    if took_s > MAX_ANSWER_S:
        found.append(f"answered after {took_s:.1f} s")
    if load.health_s > MAX_HEALTH_S:
        found.append(f"/health took {load.health_s:.1f} s")
    if load.grown_bytes > MAX_GROWN_BYTES:
        found.append(f"grew by {load.grown_bytes / 1e6:.0f} MB")
    if server.client.post("/v1/chat/completions", json=ask(max_tokens=5)).status_code != 200:
        found.append("a plain question was not answered afterwards")
    return [f"{sent.path}: {sent.title}: {each} (status {status})" for each in found]


def seconds_of_environment(otherwise: float) -> float:
    return float(os.environ.get(SECONDS_VARIABLE, otherwise))


if __name__ == "__main__":
    found = fuzz(float(sys.argv[1]) if len(sys.argv) > 1 else seconds_of_environment(60))
    sys.stdout.write("".join(f"{each}\n" for each in found) or "nothing was too costly\n")
    sys.exit(1 if found else 0)

"""Sends requests to a server from a process of its own, and returns their timing."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

CLIENT = Path(__file__).with_name("http_client.py")
KEY = "ink-bench"
TIMEOUT_S = 300

DEFAULT_CHAIN = {"temperature": 0.8, "top_k": 40, "top_p": 0.95, "min_p": 0.05, "seed": 4645}
"""The defaults of llama.cpp and of the engine, with a seed."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """The timing of one streamed answer. The times are those of `time.perf_counter`, which all processes share."""

    sent_s: float
    arrivals_s: list[float]
    """The time of each text. If a server merges tokens, a text is several tokens."""
    ended_s: float
    n_prompt: int
    n_tokens: int

    @property
    def first_s(self) -> float:
        """Seconds from the request to the first text."""
        return self.arrivals_s[0] - self.sent_s

    @property
    def end_s(self) -> float:
        """Seconds from the request to the end of the answer."""
        return self.ended_s - self.sent_s

    @property
    def tokens_per_s(self) -> float:
        """The decode speed from the first text to the last."""
        return (self.n_tokens - 1) / (self.arrivals_s[-1] - self.arrivals_s[0])

    def gaps_s(self, start: float, end: float) -> list[float]:
        """The gaps between successive texts that overlap the time from `start` to `end`."""
        return [after - before for before, after in pairwise(self.arrivals_s) if after > start and before < end]


def body(text: str, n_tokens: int, **sampling: float) -> dict[str, Any]:
    """The JSON body of a streamed chat request for exactly `n_tokens` tokens. The default is greedy sampling."""
    return {
        "model": "any",
        "messages": [{"role": "user", "content": text}],
        "max_tokens": n_tokens,
        "ignore_eos": True,
        "stream": True,
        "stream_options": {"include_usage": True},
        **(sampling or {"temperature": 0}),
    }


def stories(n_streams: int, n_tokens: int, first: int = 0, **sampling: float) -> list[dict[str, Any]]:
    """Request bodies for stories about consecutive numbers, starting with `first`. The prompts differ only in the
    number."""
    return [body(f"Tell me a long story about number {first + i}.", n_tokens, **sampling) for i in range(n_streams)]


def long_body(n_words: int, seed: int, n_tokens: int) -> dict[str, Any]:
    """A request body with about `n_words` words, most of which are one token. Bodies with different seeds have no
    common prefix after the chat template's beginning."""
    words = ("the", "ship", "sailed", "past", "some", "island", "before", "night", "and", "then", "turned", "north")
    text = " ".join(words[(seed * 31 + i * (seed + 5) + i // 12) % len(words)] for i in range(n_words))
    return body(f"Log {seed}: {text}", n_tokens)


async def send(
    port: int, bodies: Sequence[dict[str, Any]], *, at_once: bool = True, reuse: bool = False
) -> list[Streamed]:
    """Sends all requests from one client process. With `at_once` they are concurrent, each on its own connection.
    Otherwise they are sent one after another, with `reuse` on one connection."""
    async with _client({"port": port, "bodies": bodies, "at_once": at_once, "reuse": reuse}) as result:
        return await result()


@asynccontextmanager
async def streaming(
    port: int, bodies: Sequence[dict[str, Any]]
) -> AsyncIterator[Callable[[], Awaitable[list[Streamed]]]]:
    """Starts concurrent requests in a client process. The yielded coroutine function stops them and returns their
    timing."""
    async with _client({"port": port, "bodies": bodies, "at_once": True, "stop_at_eof": True}) as result:
        yield result


@asynccontextmanager
async def _client(task: dict[str, Any]) -> AsyncIterator[Callable[[], Awaitable[list[Streamed]]]]:
    """Runs a client process, which is killed at the end of the block at the latest."""
    pipe = asyncio.subprocess.PIPE
    client = await asyncio.create_subprocess_exec(sys.executable, "-S", str(CLIENT), stdin=pipe, stdout=pipe)
    assert client.stdin is not None
    client.stdin.write(json.dumps({"key": KEY, "reuse": False, "stop_at_eof": False, **task}).encode() + b"\n")
    await client.stdin.drain()

    async def result() -> list[Streamed]:
        out, _ = await asyncio.wait_for(client.communicate(b""), TIMEOUT_S)
        if client.returncode != 0:
            raise RuntimeError(f"the client ended with {client.returncode}")
        return [Streamed(*each) for each in json.loads(out)]

    try:
        yield result
    finally:
        if client.returncode is None:
            client.kill()
            await client.wait()


@dataclass(frozen=True, slots=True)
class Batch:
    """The combined timing of several concurrent streams."""

    tokens_per_s: float
    """The total speed of all streams, from the start of sending to the end of the last answer."""
    mean_first_s: float
    longest_first_s: float


async def send_batch(port: int, bodies: Sequence[dict[str, Any]]) -> Batch:
    answers = await send(port, bodies)
    n_tokens = sum(each.n_tokens for each in answers)
    firsts = [each.first_s for each in answers]
    started = min(each.sent_s for each in answers)
    elapsed = max(each.ended_s for each in answers) - started
    return Batch(n_tokens / elapsed, sum(firsts) / len(firsts), max(firsts))

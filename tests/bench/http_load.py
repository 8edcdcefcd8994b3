"""Sends requests to a server from a process of its own, and returns their timing."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLIENT = Path(__file__).with_name("http_client.py")
KEY = "ink-bench"
TIMEOUT_S = 300


@dataclass(frozen=True, slots=True)
class Streamed:
    """The timing of one streamed answer, in seconds since its request."""

    first_s: float
    last_s: float
    end_s: float
    n_tokens: int

    @property
    def tokens_per_s(self) -> float:
        """The decode speed from the first text to the last."""
        return (self.n_tokens - 1) / (self.last_s - self.first_s)


def body(text: str, n_tokens: int) -> dict[str, Any]:
    """The JSON body of a chat request with greedy sampling and streaming."""
    return {
        "model": "any",
        "messages": [{"role": "user", "content": text}],
        "temperature": 0,
        "max_tokens": n_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def stories(n_streams: int, n_tokens: int, first: int = 0) -> list[dict[str, Any]]:
    """Request bodies for stories about consecutive numbers, starting with `first`. The prompts differ only in the
    number."""
    return [body(f"Tell me a long story about number {first + i}.", n_tokens) for i in range(n_streams)]


async def send(port: int, bodies: Sequence[dict[str, Any]], *, at_once: bool = True) -> list[Streamed]:
    """Sends all requests. With `at_once` they are concurrent, each on its own connection. Otherwise they are sent one
    after another on one connection."""
    task = json.dumps({"port": port, "key": KEY, "bodies": bodies, "at_once": at_once})
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, str(CLIENT)],
        input=task,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=TIMEOUT_S,
    )
    return [Streamed(*each) for each in json.loads(done.stdout)]


@dataclass(frozen=True, slots=True)
class Batch:
    """The combined timing of several concurrent streams."""

    tokens_per_s: float
    """The total speed of all streams, from the start of sending to the end of the last answer."""
    longest_first_s: float


async def send_batch(port: int, bodies: Sequence[dict[str, Any]]) -> Batch:
    answers = await send(port, bodies)
    n_tokens = sum(each.n_tokens for each in answers)
    return Batch(n_tokens / max(each.end_s for each in answers), max(each.first_s for each in answers))

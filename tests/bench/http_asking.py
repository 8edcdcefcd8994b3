"""Asks servers from a process of its own, and what that saw."""

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
PATIENCE_S = 300


@dataclass(frozen=True, slots=True)
class Streamed:
    """One streamed answer, in seconds since it was asked for."""

    first_s: float
    last_s: float
    end_s: float
    n_tokens: int

    @property
    def tokens_per_s(self) -> float:
        """From the first text to the last."""
        return (self.n_tokens - 1) / (self.last_s - self.first_s)


def body(text: str, n_tokens: int) -> dict[str, Any]:
    """A greedy streamed chat."""
    return {
        "model": "any",
        "messages": [{"role": "user", "content": text}],
        "temperature": 0,
        "max_tokens": n_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def stories(n_streams: int, n_tokens: int, first: int = 0) -> list[dict[str, Any]]:
    """ModelQueries that begin alike and end with a number of their own, from `first` on."""
    return [body(f"Tell me a long story about number {first + i}.", n_tokens) for i in range(n_streams)]


async def asked(port: int, bodies: Sequence[dict[str, Any]], *, at_once: bool = True) -> list[Streamed]:
    """All at once, each on a connection of its own, or one after another on one."""
    told = json.dumps({"port": port, "key": KEY, "bodies": bodies, "at_once": at_once})
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, str(CLIENT)],
        input=told,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    )
    return [Streamed(*each) for each in json.loads(done.stdout)]


@dataclass(frozen=True, slots=True)
class Crowd:
    """Several streams at once, as one."""

    tokens_per_s: float
    """Of all, from the moment of asking to the last end."""
    worst_first_s: float


async def crowd(port: int, bodies: Sequence[dict[str, Any]]) -> Crowd:
    seen = await asked(port, bodies)
    n_tokens = sum(each.n_tokens for each in seen)
    return Crowd(n_tokens / max(each.end_s for each in seen), max(each.first_s for each in seen))

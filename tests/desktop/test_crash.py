"""Tests that what an answer has saved is on disk after the process is killed.

How often an answer is saved is tested in `tests/desktop/chat/test_answer_writer.py`. The benchmark `store.kill9`
measures both together: it kills the process 200 times."""

from __future__ import annotations

import asyncio
import multiprocessing
import tempfile
from pathlib import Path

import pytest

from tests.bench import store_kill9
from tests.bench.killed_chat import KINDS, stream_until_killed

N_WRITES = 5
"""Writes with new text after which the process is killed. A continued answer has about three before it is stopped."""


@pytest.mark.parametrize("kind", KINDS)
def test_killed_process_loses_nothing_that_it_has_saved(kind: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        saved = _saved_before_kill(folder, kind, N_WRITES)
        kept = asyncio.run(store_kill9.read(Path(folder) / "chats.sqlite3"))
    n_kept = {message.id: len(message.text) + len(message.reasoning) for message in kept}
    assert all(n_kept.get(message_id, 0) >= n for message_id, n in saved.items())
    answers = [message for message in kept if message.role == "assistant"]
    assert len(answers) == (4 if kind == "alternatives" else 1)
    assert {"cut"} <= {message.state for message in answers} <= {"cut", "stopped"}
    assert any(message.reasoning for message in answers) == (kind == "reasoning")


def _saved_before_kill(folder: str, kind: str, n_writes: int) -> dict[str, int]:
    """Kills a process that streams an answer after `n_writes` writes of a longer text. Returns the characters that it
    had reported as saved, for each message id."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.bench.killed_chat"])
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=stream_until_killed, args=(folder, kind, theirs, True))
    child.start()
    theirs.close()
    saved: dict[str, int] = {}
    try:
        while n_writes > 0:
            _, written = ours.recv()
            n_writes -= sum(written.values()) > sum(saved.get(message_id, 0) for message_id in written)
            saved |= written
    finally:
        child.kill()
        child.join()
        ours.close()
    return saved

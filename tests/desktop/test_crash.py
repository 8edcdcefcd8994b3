"""Tests that killing the process at any moment loses at most the last 250 ms of an answer."""

from __future__ import annotations

import asyncio
import multiprocessing
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from desktop.store.records import ChatMessage
from desktop.store.store import Store
from tests.bench import store_kill9
from tests.bench.killed_chat import KINDS

ROOT = Path(__file__).parents[2]
LOSS_S = 0.25


@pytest.mark.parametrize("n_letters", [120, 400])
def test_killed_process_loses_at_most_250_ms_of_answer(tmp_path: Path, n_letters: int) -> None:
    said: list[tuple[float, int]] = []
    command = [sys.executable, "-m", "tests.desktop.streaming_process", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            at_s, letters = line.split()
            said.append((float(at_s), int(letters)))
            if said[-1][1] >= n_letters:
                break
        killed_s = time.monotonic()
        child.kill()
    old_enough = max(letters for at_s, letters in said if at_s < killed_s - LOSS_S)
    answer = asyncio.run(_read(tmp_path / "chats.sqlite3"))
    assert answer.state == "cut"
    assert len(answer.text) >= old_enough > 0


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_partial_answer_is_saved_within_250_ms(kind: str) -> None:
    """The kinds are reasoning, parallel answers and a continued answer. The benchmark `store.kill9` kills the process
    200 times."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.bench.killed_chat"])
    with tempfile.TemporaryDirectory() as folder:
        shown, killed_s, _ = store_kill9.stream_and_kill(context, folder, kind, 0.7)
        kept = asyncio.run(store_kill9.read(Path(folder) / "chats.sqlite3"))
        assert store_kill9.lost_age_s(shown, killed_s, kept) <= LOSS_S
        answers = [message for message in kept if message.role == "assistant"]
        assert len(answers) == (4 if kind == "alternatives" else 1)
        assert {"cut"} <= {message.state for message in answers} <= {"cut", "stopped"}
        assert any(message.reasoning for message in answers) == (kind == "reasoning")


async def _read(path: Path) -> ChatMessage:
    store = Store(path)
    assert await store.open() is None
    [chat] = await store.chats()
    question, answer = await store.messages(chat.id)
    assert question.text == "Go on and on"
    await store.aclose()
    return answer

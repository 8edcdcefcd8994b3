"""kill -9 at any moment costs at most 250 ms of an answer."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest

from desktop.store.records import ChatMessage
from desktop.store.store import Store

ROOT = Path(__file__).parents[2]
LOSS_S = 0.25


@pytest.mark.parametrize("n_letters", [120, 400])
def test_a_killed_process_loses_a_quarter_of_a_second_at_most(tmp_path: Path, n_letters: int) -> None:
    said: list[tuple[float, int]] = []
    command = [sys.executable, "-m", "tests.desktop.dying", str(tmp_path)]
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


async def _read(path: Path) -> ChatMessage:
    store = Store(path)
    assert await store.open() is None
    [chat] = await store.chats()
    question, answer = await store.messages(chat.id)
    assert question.text == "Go on and on"
    await store.aclose()
    return answer

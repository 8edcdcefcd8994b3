"""context_fit: which turns would be left out of a chat that exceeds the context, and the prompt's length before and
after.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from engine.backend import Limits
from engine.engine import Engine
from engine.prompt.context_fit import fit_to_context, split_turns
from engine.requests import Message
from tests.fakes import FakeOpener

ROLES = st.sampled_from(["system", "user", "assistant", "tool"])
CHATS = st.lists(st.builds(Message, ROLES, st.integers(1, 60).map("x".__mul__)), min_size=1, max_size=20)


def letters(messages: Sequence[Message]) -> int:
    return sum(len(message.content) + 2 for message in messages)


def test_turn_starts_with_each_user_message() -> None:
    chat = [Message(role, "x") for role in ("system", "user", "assistant", "tool", "assistant", "user", "assistant")]
    assert split_turns(chat) == [[1, 2, 3, 4], [5, 6]]


@given(CHATS, st.integers(20, 400))
def test_fewest_oldest_turns_are_left_out(chat: list[Message], n_ctx: int) -> None:
    found = fit_to_context(chat, letters, n_ctx)
    limit = n_ctx - min(256, n_ctx // 4)
    kept = [message for place, message in enumerate(chat) if place not in found.left_out]
    assert found.n_prompt == letters(chat)
    assert found.n_kept == letters(kept)
    assert found.fits == (found.n_kept <= limit)
    whole = split_turns(chat)
    n_left_out = sum(turn[0] in found.left_out for turn in whole)
    assert sorted(found.left_out) == sorted(place for turn in whole[:n_left_out] for place in turn)
    assert n_left_out < max(1, len(whole)), "the last turn stays"
    if n_left_out:
        fewer = {place for turn in whole[: n_left_out - 1] for place in turn}
        assert letters([message for place, message in enumerate(chat) if place not in fewer]) > limit


def test_engine_calculates_context_fit_of_a_chat_that_was_not_submitted() -> None:
    async def run() -> None:
        engine = Engine(FakeOpener(limits=Limits(400, 4, 64)))
        await engine.load(Path("fake.gguf"))
        chat = [Message("system", "be kind"), *(Message("user", "x" * 100) for _ in range(4))]
        found = await engine.queries.fit(chat)
        assert found.n_prompt > found.n_ctx == 400
        assert found.left_out == (1, 2, 3)
        assert found.fits
        await engine.aclose()

    asyncio.run(run())

"""Reuse of KV state: after a restart, in the next turn of a chat, and between alternatives with the same prompt."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from engine.engine import Engine
from engine.requests import ChatRequest, CompletionRequest, Message, Sampling
from tests.bench.engine_run import long_prompt, question, running_engine, submit_and_time
from tests.bench.figure import Figure, spread
from tests.bench.pairs import Pairs, n_pairs

N_ROUNDS = 3
CHAT_PAIRS, N_REOPENED = 27, 1500
MAX_REOPEN_SHARE, MAX_REOPEN_MS = 0.05, 150.0
FORKS, FORK_PROMPT, FORK_TOKENS = 4, 500, 64


def reopen() -> Figure:
    """Time to first token of the next turn of a chat after a restart. Required is either a share of the time without
    cached state, or a time: the figure is the share, or the time if only that is kept."""
    pairs = asyncio.run(_reopen())
    firsts = pairs.compare(float)
    against = firsts.against(f"the same request of {N_REOPENED} tokens without cached state", "s to the first token")
    reopened_ms = 1000 * statistics.median(firsts.ours)
    if firsts.ratio > MAX_REOPEN_SHARE and reopened_ms <= MAX_REOPEN_MS:
        against = f"{against}; ratio {firsts.ratio:.3g}"
        return Figure("engine.reopen", reopened_ms, MAX_REOPEN_MS, "ms", against)
    return Figure("engine.reopen", firsts.ratio, MAX_REOPEN_SHARE, "ratio", against)


async def _reopen() -> Pairs[float]:
    pairs: Pairs[float] = Pairs([], [])
    for seed in range(n_pairs()):
        with tempfile.TemporaryDirectory() as folder:
            async with running_engine(Path(folder)) as before:
                chat = _long_chat(seed)
                text, _ = await before.submit(chat).collect()
            again = _next_turn(chat, text, "And what came next?")
            async with running_engine(Path(folder)) as after:
                pairs.ours.append((await submit_and_time(after, again)).first_s)
            async with running_engine() as fresh:
                pairs.theirs.append((await submit_and_time(fresh, replace(again, id="cold"))).first_s)
    return pairs


def _long_chat(seed: int) -> ChatRequest:
    """A chat of about N_REOPENED tokens."""
    turns = [Message("user", f"This is the log of ship {seed}. I read it to you.")]
    for i in range(CHAT_PAIRS):
        turns.append(Message("assistant", f"I have noted day {i} of ship {seed}, please go on with the next one."))
        turns.append(
            Message("user", f"Day {i + 1}: the wind came from the west, we made {90 + i} miles, and all was well.")
        )
    # With greedy sampling, the tokens of the answer would be computed again, so that the next turn is reproducible.
    return replace(question(max_tokens=32, sampling=Sampling(top_k=1, ignore_eos=True)), messages=tuple(turns))


def _next_turn(chat: ChatRequest, answer: str, text: str) -> ChatRequest:
    turns = (*chat.messages, Message("assistant", answer), Message("user", text))
    return replace(chat, messages=turns, id=f"{chat.id} again")


def second_turn() -> Figure:
    computed, added, highest = asyncio.run(_second_turn())
    against = f"{added} tokens added by the second turns of {len(TOPICS)} chats; highest {highest:.3g}"
    return Figure("engine.second_turn", computed / added, 1.1, "ratio", against)


TOPICS = ("the sea", "a lighthouse", "winter bread", "old maps", "how bees dance", "a quiet street")


async def _second_turn() -> tuple[int, int, float]:
    """Runs two turns of several chats. For the second turns, returns the number of prompt tokens that were computed,
    and the number of tokens that were new in the prompts.

    The third result is the highest ratio of computed to new tokens in a single chat."""
    pairs = []
    async with running_engine() as engine:
        for topic in TOPICS:
            chat = question(f"Tell me about {topic}.", max_tokens=80, sampling=Sampling(top_k=1))
            text, first = await engine.submit(chat).collect()
            again = _next_turn(chat, text, "Thank you. Now say it once more, in other words, and much shorter.")
            _, second = await engine.submit(replace(again, max_tokens=4)).collect()
            before = first.usage.n_prompt + first.usage.n_output
            pairs.append((second.usage.n_prompt - second.usage.n_cached, second.usage.n_prompt - before))
    computed, added = (sum(each) for each in zip(*pairs, strict=True))
    return computed, added, max(mine / theirs for mine, theirs in pairs)


def fork() -> Figure:
    ratios, sequential_s = asyncio.run(_fork())
    against = f"{FORKS} sequential requests, each with its own prefill: {spread(sequential_s)} s"
    return Figure("engine.fork", statistics.median(ratios), 0.5, "ratio", against)


async def _fork() -> tuple[list[float], list[float]]:
    ratios, sequential_s = [], []
    async with running_engine() as engine:
        for round_ in range(N_ROUNDS):
            started = time.perf_counter()
            for i in range(FORKS):
                await engine.submit(_alternative(10 * round_ + 1 + i, i)).collect()
            sequential_s.append(time.perf_counter() - started)
            ratios.append(await _concurrent_s(engine, 10 * round_) / sequential_s[-1])
    return ratios, sequential_s


async def _concurrent_s(engine: Engine, prompt: int) -> float:
    started = time.perf_counter()
    await asyncio.gather(*(engine.submit(_alternative(prompt, i)).collect() for i in range(FORKS)))
    return time.perf_counter() - started


def _alternative(prompt: int, seed: int) -> CompletionRequest:
    request = long_prompt(FORK_PROMPT, prompt, FORK_TOKENS, "window")
    return replace(request, sampling=Sampling(ignore_eos=True, seed=seed))

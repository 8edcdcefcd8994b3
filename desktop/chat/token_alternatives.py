"""Finds words that could replace a word of an answer, by the token probabilities of the model. Qt-free.

The prompt and the answer up to this word are in the KV cache, so almost nothing is computed again."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.events import Failed, TextDelta
from engine.requests import ChatRequest, Sampling, new_request_id

if TYPE_CHECKING:
    from engine.chat_engine import ChatEngine

MAX_ALTERNATIVES = 6
MIN_PROBABILITY = 0.005
N_LOGPROBS = 64
"""Number of likely first tokens to get from the model. It is large, so that they include the start of the current
word."""
MAX_COMPLETED = 8
"""Maximum number of first tokens that are completed to whole words."""
MAX_FIRST_TOKENS = 4
"""Maximum number of tokens to generate until the first text arrives. More than one, because a character may consist of
several tokens."""
MAX_WORD_TOKENS = 6

LIKELIEST = Sampling(top_k=1)
"""Samples the likeliest token. Unlike with greedy sampling, the engine does not compute cached tokens again to make the
result reproducible."""

_WORD = re.compile(r"[\w'’\-]*")
_UNSPACED_SCRIPT = re.compile("[\u0e00-\u0eff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]")


@dataclass(frozen=True, slots=True)
class TokenAlternative:
    """A word that could replace the current word of an answer. `probability` is that of its first token, given the text
    before it."""

    word: str
    probability: float


async def token_alternatives(
    engine: ChatEngine, request: ChatRequest, text: str, start: int, end: int
) -> list[TokenAlternative]:
    """Up to `MAX_ALTERNATIVES` words that could replace `text[start:end]`, the most likely one first. `text` is the
    answer to `request`. The current word is always included. Raises EngineError."""
    word = text[start:end]
    request = replace(request, sampling=LIKELIEST, min_tokens=1, thinking=False)
    # Most models have one token for a word and the space before it, so the given answer must end before the space.
    before, space = (text[: start - 1], " ") if text[:start].endswith(" ") else (text[:start], "")
    found = await _word_starts(engine, request, before, space)
    if space and not found:  # this model has a separate token for the space
        found = await _word_starts(engine, request, before + space, "")
    current = max((each for each, _ in found if word.startswith(each)), key=len, default="")
    others = [(each, probability) for each, probability in found if each != current][:MAX_COMPLETED]
    words = await asyncio.gather(*(_completed(engine, request, before + space, each) for each, _ in others))
    merged = {word: sum(probability for each, probability in found if each == current)}
    for completed, (_, probability) in zip(words, others, strict=True):
        merged[completed] = merged.get(completed, 0.0) + probability
    return _most_likely(merged, word)


def _most_likely(merged: dict[str, float], word: str) -> list[TokenAlternative]:
    ranked = [TokenAlternative(each, probability) for each, probability in merged.items()]
    ranked.sort(key=lambda alternative: -alternative.probability)
    best = [each for each in ranked if each.probability >= MIN_PROBABILITY][:MAX_ALTERNATIVES]
    if not any(each.word == word for each in best):
        best = [*best[: MAX_ALTERNATIVES - 1], next(each for each in ranked if each.word == word)]
    return best


async def _word_starts(engine: ChatEngine, request: ChatRequest, before: str, space: str) -> list[tuple[str, float]]:
    """Text and probability of each likely next token that begins with `space` and starts a word. The text is without
    `space`."""
    tokens = await _first_tokens(engine, replace(request, answer_start=before))
    words = [(text.removeprefix(space), probability) for text, probability in tokens if text.startswith(space)]
    return [(word, probability) for word, probability in words if word[:1].isalnum()]


async def _first_tokens(engine: ChatEngine, request: ChatRequest) -> list[tuple[str, float]]:
    """Text and probability of each likely next token."""
    request = replace(request, id=new_request_id(), n_logprobs=N_LOGPROBS, max_tokens=MAX_FIRST_TOKENS)
    async with engine.submit(request) as stream:
        async for event in stream:
            match event:
                case TextDelta(choices=(first, *_)):
                    return _decoded(first.others)
                case Failed(error=error):
                    raise error
    return []


def _decoded(tokens: Sequence[tuple[bytes, float]]) -> list[tuple[str, float]]:
    """Text and probability of these tokens, which are given as (bytes, log probability). The probabilities of tokens
    with the same text are added up. Tokens that are only part of a character are omitted."""
    found: dict[str, float] = {}
    for token, logprob in tokens:
        try:
            text = token.decode()
        except UnicodeDecodeError:
            continue
        found[text] = found.get(text, 0.0) + math.exp(logprob)
    return list(found.items())


async def _completed(engine: ChatEngine, request: ChatRequest, before: str, word_start: str) -> str:
    """The most likely whole word that begins with `word_start`."""
    if _UNSPACED_SCRIPT.search(word_start) or _leading_word(word_start) != word_start:
        return _leading_word(word_start)
    request = replace(
        request, id=new_request_id(), answer_start=before + word_start, min_tokens=0, max_tokens=MAX_WORD_TOKENS
    )
    rest = ""
    async with engine.submit(request) as stream:  # leaving this block cancels the request
        async for event in stream:
            match event:
                case TextDelta(text=text):
                    rest += text
                    if _leading_word(rest) != rest:
                        break
                case Failed(error=error):
                    raise error
    return word_start + _leading_word(rest).rstrip("-'’")


def _leading_word(text: str) -> str:
    return _WORD.match(text)[0]  # type: ignore[index]  # the pattern also matches the empty string

"""What else could have stood in the place of a word. The prompt and the answer before it are in memory, so that next to
nothing is read again. Qt-free."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.events import Failed, TextDelta
from engine.requests import GREEDY, ChatRequest, new_request_id

if TYPE_CHECKING:
    from engine.engine import Engine

N_WORDS = 6
LEAST = 0.005
"""Less than half a percent is not worth a row."""
N_LOOKED_AT = 64
"""Tokens that are looked through for the word itself."""
N_COMPLETED = 8
N_FIRST = 4
"""Enough tokens for the first to be told, where it is a part of a character."""
LONGEST = 6
"""Tokens in which a word must have ended."""

_LETTERS = re.compile(r"[\w'’\-]*")
_NO_SPACES = re.compile("[\u0e00-\u0eff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]")


@dataclass(frozen=True, slots=True)
class TokenAlternative:
    """`probability` is that of the word's first token, after all that stands before it."""

    word: str
    probability: float


async def word_choices(engine: Engine, request: ChatRequest, text: str, start: int, end: int) -> list[TokenAlternative]:
    """Up to `N_WORDS` for the place of `text[start:end]` in the answer `text` to `request`, the likeliest first; the
    word that stands there is always among them. Raises EngineError."""
    word = text[start:end]
    asked = replace(request, sampling=GREEDY, min_tokens=1, thinking=False)
    # Most models write a space as the beginning of the next word, so they must not be given it.
    before, space = (text[: start - 1], " ") if text[:start].endswith(" ") else (text[:start], "")
    found = await _beginnings(engine, asked, before, space)
    if space and not found:  # it is a token of its own
        found = await _beginnings(engine, asked, before + space, "")
    own = max((each for each, _ in found if word.startswith(each)), key=len, default="")
    others = [(each, probability) for each, probability in found if each != own][:N_COMPLETED]
    words = await asyncio.gather(*(_completed(engine, asked, before + space, each) for each, _ in others))
    merged = {word: sum(probability for each, probability in found if each == own)}
    for completed, (_, probability) in zip(words, others, strict=True):
        merged[completed] = merged.get(completed, 0.0) + probability
    return _likeliest(merged, word)


def _likeliest(merged: dict[str, float], word: str) -> list[TokenAlternative]:
    ranked = sorted((TokenAlternative(each, probability) for each, probability in merged.items()), key=_rank)
    best = [choice for choice in ranked if choice.probability >= LEAST][:N_WORDS]
    if not any(choice.word == word for choice in best):
        best = [*best[: N_WORDS - 1], next(choice for choice in ranked if choice.word == word)]
    return best


def _rank(choice: TokenAlternative) -> float:
    return -choice.probability


async def _beginnings(engine: Engine, asked: ChatRequest, before: str, space: str) -> list[tuple[str, float]]:
    """Of the likeliest next tokens those that begin a word after `space`, as text without it, with probabilities."""
    tokens = await _first_tokens(engine, replace(asked, answer_start=before))
    words = [(text.removeprefix(space), share) for text, share in tokens if text.startswith(space)]
    return [(word, share) for word, share in words if word[:1].isalnum()]


async def _first_tokens(engine: Engine, asked: ChatRequest) -> list[tuple[str, float]]:
    """The likeliest next tokens as text, with their probabilities."""
    request = replace(asked, id=new_request_id(), n_logprobs=N_LOOKED_AT, max_tokens=N_FIRST)
    async with engine.submit(request) as stream:
        async for event in stream:
            match event:
                case TextDelta(choices=(first, *_)):
                    return _as_text(first.others)
                case Failed(error=error):
                    raise error
    return []


def _as_text(tokens: Sequence[tuple[bytes, float]]) -> list[tuple[str, float]]:
    """Tokens that are the same text count as one; parts of characters are left aside."""
    found: dict[str, float] = {}
    for token, logprob in tokens:
        try:
            text = token.decode()
        except UnicodeDecodeError:
            continue
        found[text] = found.get(text, 0.0) + math.exp(logprob)
    return list(found.items())


async def _completed(engine: Engine, asked: ChatRequest, before: str, begun: str) -> str:
    """The whole word that begins so, as the model would most likely end it."""
    if _NO_SPACES.search(begun) or _word_in(begun) != begun:
        return _word_in(begun)
    request = replace(asked, id=new_request_id(), answer_start=before + begun, min_tokens=0, max_tokens=LONGEST)
    rest = ""
    async with engine.submit(request) as stream:  # leaving it ends the request
        async for event in stream:
            match event:
                case TextDelta(text=text):
                    rest += text
                    if _word_in(rest) != rest:
                        break
                case Failed(error=error):
                    raise error
    return begun + _word_in(rest).rstrip("-'’")


def _word_in(text: str) -> str:
    """The letters with which the text begins."""
    return _LETTERS.match(text)[0]  # type: ignore[index]  # it matches nothing, too

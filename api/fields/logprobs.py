"""Log probabilities in the formats of chat completions, completions, and llama.cpp's server."""

from __future__ import annotations

from collections.abc import Sequence

from engine.events import TokenChoice

MIN_LOGPROB = -9999.0
"""Sent instead of minus infinity, which JSON does not have; OpenAI does the same."""


def content(choices: Sequence[TokenChoice]) -> list[dict[str, object]]:
    """Formats log probabilities as in chat completions."""
    return [
        {
            **_entry(choice.token, choice.logprob),
            "top_logprobs": [_entry(token, logprob) for token, logprob in choice.others],
        }
        for choice in choices
    ]


def content_with_ids(choices: Sequence[TokenChoice]) -> list[dict[str, object]]:
    """Formats log probabilities as in llama.cpp's server: like `content`, with token ids."""
    return [
        {
            "id": choice.id,
            **_entry(choice.token, choice.logprob),
            "top_logprobs": [
                {"id": id, **_entry(token, logprob)}
                for id, (token, logprob) in zip(choice.other_ids, choice.others, strict=False)
            ],
        }
        for choice in choices
    ]


def _entry(token: bytes, logprob: float) -> dict[str, object]:
    return {"token": _text(token), "logprob": finite(logprob), "bytes": list(token)}


def finite(logprob: float) -> float:
    return max(logprob, MIN_LOGPROB)


def _text(token: bytes) -> str:
    return token.decode("utf-8", "replace")


class LegacyLogprobs:
    """Formats log probabilities as in OpenAI's completions. `text_offset` is continued from one piece of an answer to
    the next."""

    def __init__(self) -> None:
        self._offset = 0

    def piece(self, choices: Sequence[TokenChoice], *, starts_prompt: bool = False) -> dict[str, object]:
        """Formats the tokens of one piece of the answer. With `starts_prompt`, the first token has no log probability,
        because no token precedes it."""
        tokens = [_text(choice.token) for choice in choices]
        logprobs: list[float | None] = [finite(choice.logprob) for choice in choices]
        tops: list[dict[str, float] | None] = [_tops(choice) for choice in choices]
        if starts_prompt and choices:
            logprobs[0] = tops[0] = None
        offsets = []
        for token in tokens:
            offsets.append(self._offset)
            self._offset += len(token)
        return {"tokens": tokens, "token_logprobs": logprobs, "top_logprobs": tops, "text_offset": offsets}

    def silent_tokens(self, n: int) -> dict[str, object]:
        """Returns the entries for `n` sampled tokens without text, such as an end-of-generation token."""
        return {
            "tokens": [""] * n,
            "token_logprobs": [None] * n,
            "top_logprobs": [None] * n,
            "text_offset": [self._offset] * n,
        }


def _tops(choice: TokenChoice) -> dict[str, float]:
    """Returns the likeliest tokens and the sampled one: at most one token more than requested, as in OpenAI's API."""
    ranked = {_text(token): finite(logprob) for token, logprob in choice.others}
    return {**ranked, _text(choice.token): finite(choice.logprob)}


def joined(parts: Sequence[dict[str, object]]) -> dict[str, object]:
    """Joins several pieces from `LegacyLogprobs` into one object."""
    names = ("tokens", "token_logprobs", "top_logprobs", "text_offset")
    return {name: [each for part in parts for each in _list(part[name])] for name in names}


def _list(value: object) -> list[object]:
    assert isinstance(value, list)
    return value

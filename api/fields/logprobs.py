"""Log probabilities, in OpenAI's two shapes."""

from __future__ import annotations

from collections.abc import Sequence

from engine.events import TokenChoice

IMPOSSIBLE = -9999.0
"""JSON has no infinity; OpenAI writes this for a token that cannot be."""


def content(choices: Sequence[TokenChoice]) -> list[dict[str, object]]:
    """Chat completions' shape."""
    return [
        {
            **_entry(choice.token, choice.logprob),
            "top_logprobs": [_entry(token, logprob) for token, logprob in choice.others],
        }
        for choice in choices
    ]


def content_with_ids(choices: Sequence[TokenChoice]) -> list[dict[str, object]]:
    """llama.cpp's shape: the same with the tokens' numbers."""
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
    return max(logprob, IMPOSSIBLE)


def _text(token: bytes) -> str:
    return token.decode("utf-8", "replace")


class LegacyLogprobs:
    """Completions' shape, token by token. The first token of a prompt, which nothing foretells, has none."""

    def __init__(self) -> None:
        self._offset = 0

    def of(self, choices: Sequence[TokenChoice], *, first_unknown: bool = False) -> dict[str, object]:
        tokens = [_text(choice.token) for choice in choices]
        logprobs: list[float | None] = [finite(choice.logprob) for choice in choices]
        tops: list[dict[str, float] | None] = [_tops(choice) for choice in choices]
        if first_unknown and choices:
            logprobs[0] = tops[0] = None
        offsets = []
        for token in tokens:
            offsets.append(self._offset)
            self._offset += len(token)
        return {"tokens": tokens, "token_logprobs": logprobs, "top_logprobs": tops, "text_offset": offsets}

    def unsaid(self, n: int) -> dict[str, object]:
        """`n` tokens that were chosen but say nothing, such as the one that ends an answer."""
        return {
            "tokens": [""] * n,
            "token_logprobs": [None] * n,
            "top_logprobs": [None] * n,
            "text_offset": [self._offset] * n,
        }


def _tops(choice: TokenChoice) -> dict[str, float]:
    """The likeliest tokens, and the chosen one: up to one more than were asked for, as OpenAI has it."""
    ranked = {_text(token): finite(logprob) for token, logprob in choice.others}
    return {**ranked, _text(choice.token): finite(choice.logprob)}


def joined(parts: Sequence[dict[str, object]]) -> dict[str, object]:
    """Several pieces of the legacy shape as one."""
    names = ("tokens", "token_logprobs", "top_logprobs", "text_offset")
    return {name: [each for part in parts for each in _list(part[name])] for name in names}


def _list(value: object) -> list[object]:
    assert isinstance(value, list)
    return value

"""Reads the log probabilities of sampled tokens, in the formats of chat completions and of completions."""

from __future__ import annotations

from engine.events import TokenChoice
from engine.remote.untrusted_json import JsonObject, list_in, number_in, object_in, objects_in, text_in

MIN_LOGPROB = -9999.0
"""Stands for a probability of 0, which servers send as different numbers."""


def token_choices(choice: JsonObject, n_others: int) -> list[TokenChoice]:
    """The tokens in the `logprobs` of a choice, each with at most `n_others` alternatives."""
    logprobs = object_in(choice, "logprobs")
    if "content" in logprobs:
        return [_choice(entry, n_others) for entry in objects_in(logprobs, "content")]
    return _completion_choices(logprobs, n_others)


def _choice(entry: JsonObject, n_others: int) -> TokenChoice:
    others = objects_in(entry, "top_logprobs")[:n_others]
    return TokenChoice(
        _token(entry),
        _logprob(entry, "logprob"),
        tuple((_token(other), _logprob(other, "logprob")) for other in others),
        _id(entry),
        tuple(_id(other) for other in others),
    )


def _completion_choices(logprobs: JsonObject, n_others: int) -> list[TokenChoice]:
    """OpenAI's format for completions has parallel lists, in which tokens are texts only."""
    tokens, values = list_in(logprobs, "tokens"), list_in(logprobs, "token_logprobs")
    tops = list_in(logprobs, "top_logprobs")
    found = []
    for at, token in enumerate(tokens[: len(values)]):
        if not isinstance(token, str) or not token:
            continue
        top = tops[at] if at < len(tops) else None
        ranked = [(name, _logprob(top, name)) for name in top if isinstance(name, str)] if isinstance(top, dict) else []
        ranked.sort(key=lambda other: -other[1])
        others = tuple((_encoded(name), value) for name, value in ranked[:n_others])
        found.append(TokenChoice(_encoded(token), _logprob({"": values[at]}, ""), others))
    return found


def _token(entry: JsonObject) -> bytes:
    given = entry.get("bytes")
    if isinstance(given, list) and given:
        try:
            return bytes(given)
        except (ValueError, TypeError):
            pass
    return text_in(entry, "token").encode()


def _encoded(token: str) -> bytes:
    return text_in({"": token}, "").encode()


def _logprob(entry: JsonObject, name: str) -> float:
    found = number_in(entry, name)
    return MIN_LOGPROB if found is None else min(max(found, MIN_LOGPROB), 0.0)


def _id(entry: JsonObject) -> int:
    found = entry.get("id")
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < 2**31 else -1

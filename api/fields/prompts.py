"""Prompts of completions and inputs of embeddings: texts, token lists, or batches of these."""

from __future__ import annotations

from api.body import INT32_MAX, int_if_integral
from api.errors import BadRequest

MAX_ANSWERS = 512
"""Maximum number of answers to one request: the number of prompts times the number of choices."""

Prompt = str | tuple[int, ...]


def parse_prompts(given: object, param: str) -> list[Prompt]:
    """Parses one prompt or a batch. `param`: the field's name, for error messages. Raises BadRequest."""
    match given:
        case str():
            return [given]
        case [int() | float(), *_]:
            return [_tokens(given, param)]
        case [str() | list(), *_]:
            if len(given) > MAX_ANSWERS:
                raise BadRequest(f"'{param}' holds more than {MAX_ANSWERS} texts.", param)
            return [each if isinstance(each, str) else _tokens(each, f"{param}[{i}]") for i, each in enumerate(given)]
    raise BadRequest(f"'{param}' must be a string, a list of tokens, or a list of these that is not empty.", param)


def _tokens(given: object, path: str) -> tuple[int, ...]:
    numbers = [int_if_integral(each) for each in given] if isinstance(given, list) else [None]
    tokens = tuple(each for each in numbers if type(each) is int and 0 <= each <= INT32_MAX)
    if len(tokens) == len(numbers):
        return tokens
    raise BadRequest(f"'{path}' must contain only token numbers, or only strings.", path)

"""OpenAI's completions → the engine's requests. Pure: ids come from outside."""

from __future__ import annotations

from collections.abc import Sequence

from api.body import INT32_MAX, whole
from api.errors import BadRequest
from api.fields.constraints import constraint
from api.fields.sampling import for_choice, sampling
from api.fields.unsupported_params import reject_unsupported
from api.openai.chat.request import check_stream_options
from api.openai.completions.schemas import CompletionBody
from engine.requests import CompletionRequest

DEFAULT_MAX_TOKENS = 16
"""OpenAI's."""

MAX_ANSWERS = 512
"""Of one call: prompts times choices."""

Prompt = str | tuple[int, ...]


def prompts_of(given: object, param: str) -> list[Prompt]:
    """A prompt or a batch of them. Raises BadRequest."""
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
    numbers = [whole(each) for each in given] if isinstance(given, list) else [None]
    tokens = tuple(each for each in numbers if type(each) is int and 0 <= each <= INT32_MAX)
    if len(tokens) == len(numbers):
        return tokens
    raise BadRequest(f"'{path}' must hold tokens as numbers, or strings, and nothing else.", path)


def completion_requests(body: CompletionBody, prompts: Sequence[Prompt], request_id: str) -> list[CompletionRequest]:
    """As many as `n_generated` for each prompt, of a body that was checked. Raises BadRequest."""
    chosen, limit = sampling(body), constraint(body, body.response_format)
    n_logprobs = body.logprobs
    if n_logprobs is None and n_generated(body) > (body.n or 1):
        n_logprobs = 0  # to know which are the best
    return [
        CompletionRequest(
            prompt=prompt,
            origin="endpoint",
            use_cache=body.use_cache,
            sampling=for_choice(chosen, choice),
            constraint=limit,
            # Nothing is asked of the answer, but the engine reads a prompt only for one.
            max_tokens=DEFAULT_MAX_TOKENS if body.max_tokens is None else max(body.max_tokens, 1),
            min_tokens=body.min_tokens or 0,
            stop=tuple(stop for stop in body.stop if stop),
            n_logprobs=n_logprobs,
            prompt_logprobs=bool(body.echo) and body.logprobs is not None,
            id=f"{request_id}-{place}-{choice}",
        )
        for place, prompt in enumerate(prompts)
        for choice in range(n_generated(body))
    ]


def n_generated(body: CompletionBody) -> int:
    """Answers that are made for each prompt; the best `n` of them are shown."""
    return max(body.best_of or 1, body.n or 1)


def check(body: CompletionBody, prompts: Sequence[Prompt]) -> None:
    """Raises BadRequest (UnsupportedParameter for fields whose promise would be broken)."""
    reject_unsupported(body.model_extra or {})
    check_stream_options(body.stream_options, body.stream)
    if body.best_of is not None and body.best_of < (body.n or 1):
        raise BadRequest("'best_of' must not be less than 'n'.", "best_of")
    if body.stream and n_generated(body) > (body.n or 1):
        raise BadRequest("The best answers cannot be streamed; leave out 'best_of'.", "best_of")
    if len(prompts) * n_generated(body) > MAX_ANSWERS:
        raise BadRequest(f"These are more than {MAX_ANSWERS} answers.", "n")
    if body.suffix and (body.echo or not all(isinstance(prompt, str) for prompt in prompts)):
        raise BadRequest("'suffix' goes with a prompt of text, without 'echo'.", "suffix")

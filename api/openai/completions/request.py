"""Translates the body of a completion to the engine's requests. Does no I/O; the caller passes the ids."""

from __future__ import annotations

from collections.abc import Sequence

from api.errors import BadRequest
from api.fields.constraints import constraint
from api.fields.prompts import MAX_ANSWERS, Prompt
from api.fields.sampling import sampling, sampling_for_choice
from api.fields.unsupported_params import reject_unsupported
from api.openai.chat.request import check_stream_options
from api.openai.completions.schemas import CompletionBody
from engine.requests import CompletionRequest

DEFAULT_MAX_TOKENS = 16
"""OpenAI's default for a completion without `max_tokens`."""


def check(body: CompletionBody, prompts: Sequence[Prompt]) -> None:
    """Checks that the fields can be combined. Raises BadRequest, UnsupportedParameter."""
    reject_unsupported(body.model_extra)
    check_stream_options(body.stream_options, body.stream)
    if body.best_of is not None and body.best_of < (body.n or 1):
        raise BadRequest("'best_of' must not be less than 'n'.", "best_of")
    if body.stream and body.n_generated > (body.n or 1):
        raise BadRequest("'best_of' cannot be combined with 'stream'.", "best_of")
    if len(prompts) * body.n_generated > MAX_ANSWERS:
        raise BadRequest(f"The request asks for more than {MAX_ANSWERS} answers.", "n")
    if body.suffix and (body.echo or not all(isinstance(prompt, str) for prompt in prompts)):
        raise BadRequest("'suffix' requires text prompts, and cannot be combined with 'echo'.", "suffix")


def completion_requests(body: CompletionBody, prompts: Sequence[Prompt], request_id: str) -> list[CompletionRequest]:
    """Returns `body.n_generated` requests for each prompt. `check` must have accepted the body. Raises BadRequest."""
    base_sampling, base_constraint = sampling(body), constraint(body, body.response_format)
    n_logprobs = body.logprobs
    if n_logprobs is None and body.n_generated > (body.n or 1):
        n_logprobs = 0  # log probabilities are needed to choose the best answers
    return [
        CompletionRequest(
            prompt=prompt,
            origin="endpoint",
            use_cache=body.use_cache,
            n_draft_max=body.n_draft_max,
            adapter_scales=body.adapter_scales,
            sampling=sampling_for_choice(base_sampling, choice),
            constraint=base_constraint,
            # The engine generates at least one token. For a limit of 0, that token is not returned.
            max_tokens=DEFAULT_MAX_TOKENS if body.max_tokens is None else max(body.max_tokens, 1),
            min_tokens=body.min_tokens or 0,
            stop=tuple(stop for stop in body.stop if stop),
            n_logprobs=n_logprobs,
            prompt_logprobs=bool(body.echo) and body.logprobs is not None,
            id=f"{request_id}-{index}-{choice}",
        )
        for index, prompt in enumerate(prompts)
        for choice in range(body.n_generated)
    ]

"""Translates request bodies of llama.cpp's server to the engine's requests. Does no I/O; the caller passes the ids."""

from __future__ import annotations

from api.errors import UnsupportedParameter
from api.fields.constraints import constraint
from api.fields.prompts import Prompt, parse_prompts
from api.fields.sampling import sampling
from api.fields.unsupported_params import reject_unsupported
from api.llama_cpp.schemas import InfillBody, LlamaBody
from engine.requests import CompletionRequest

IGNORED_INFILL_PARAMS = frozenset({"samplers", "t_max_prompt_ms", "t_max_predict_ms", "n_indent"})
"""Parameters with which editors limit the time and length of a suggestion. /infill ignores them, because a slower or
longer suggestion is still correct."""


def completion_request(body: LlamaBody, prompt: Prompt, request_id: str) -> CompletionRequest:
    """Translates a body to the request for one prompt. Raises BadRequest, UnsupportedParameter."""
    if isinstance(body, InfillBody):
        reject_unsupported(body.model_extra, IGNORED_INFILL_PARAMS)
        body = body.model_copy(update={"samplers": None})
    else:
        reject_unsupported(body.model_extra)
    return CompletionRequest(
        prompt=prompt,
        origin="endpoint",
        use_cache=body.use_cache,
        n_draft_max=body.n_draft_max,
        adapter_scales=body.adapter_scales,
        wants_progress=bool(body.stream and body.return_progress),
        sampling=sampling(body),
        constraint=constraint(body),
        # The engine generates at least one token. For a limit of 0, that token is not returned.
        max_tokens=1 if body.limit == 0 else body.limit,
        stop=tuple(stop for stop in body.stop if stop),
        n_logprobs=body.n_probs or (0 if body.return_tokens else None),
        id=request_id,
    )


def completion_prompts(given: object) -> list[Prompt]:
    """Parses the prompts of a completion. A prompt may be an object with `prompt_string`.

    Raises BadRequest, UnsupportedParameter."""
    found = given if isinstance(given, list) and any(isinstance(each, dict) for each in given) else [given]
    if not any(isinstance(each, dict) for each in found):
        return parse_prompts(given, "prompt")
    return [prompt for each in found for prompt in _prompt(each)]


def _prompt(given: object) -> list[Prompt]:
    match given:
        case {"multimodal_data": [_, *_]}:
            raise UnsupportedParameter("prompt.multimodal_data", "Images and sound in a prompt are not supported.")
        case {"prompt_string": str(text)}:
            return [text]
    return parse_prompts(given, "prompt")


def infill_context(body: InfillBody) -> str:
    """Joins the other files that the editor sent. In the prompt, these files precede the texts around the gap."""
    return "".join(f"{extra.filename or 'snippet'}\n{extra.text}\n\n" for extra in body.input_extra or ())

"""Between llama.cpp's own words and the engine's, both ways. Pure."""

from __future__ import annotations

from collections.abc import Container, Sequence

from api.errors import UnsupportedParameter
from api.fields.constraints import constraint
from api.fields.sampling import sampling
from api.fields.unsupported_params import reject_unsupported
from api.llama_cpp.schemas import InfillBody, LlamaBody
from api.openai.completions.request import Prompt, prompts_of
from engine.requests import CompletionRequest, Request, Sampling
from engine.status import ModelInfo, ModelProps

HINTS = frozenset({"samplers", "t_max_prompt_ms", "t_max_predict_ms", "n_indent"})
"""What editors send to have a suggestion sooner or tidier; one that comes later or longer is no broken promise."""


def completion_request(body: LlamaBody, prompt: Prompt, request_id: str) -> CompletionRequest:
    """Raises BadRequest, UnsupportedParameter."""
    if isinstance(body, InfillBody):
        reject_unsupported(body.model_extra or {}, HINTS)
        body = body.model_copy(update={"samplers": None})
    else:
        reject_unsupported(body.model_extra or {})
    return CompletionRequest(
        prompt=prompt,
        origin="endpoint",
        use_cache=body.use_cache,
        sampling=sampling(body),
        constraint=constraint(body),
        # A prompt is read for an answer only, so its cache is warmed by one of a single token, which is not shown.
        max_tokens=1 if body.limit == 0 else body.limit,
        stop=tuple(stop for stop in body.stop if stop),
        n_logprobs=body.n_probs or (0 if body.return_tokens else None),
        id=request_id,
    )


def prompts(given: object) -> list[Prompt]:
    """The prompts of a completion; an object holds one as `prompt_string`. Raises BadRequest, UnsupportedParameter."""
    found = given if isinstance(given, list) and any(isinstance(each, dict) for each in given) else [given]
    if not any(isinstance(each, dict) for each in found):
        return prompts_of(given, "prompt")
    return [prompt for each in found for prompt in _prompt(each)]


def _prompt(given: object) -> list[Prompt]:
    match given:
        case {"multimodal_data": [_, *_]}:
            raise UnsupportedParameter("prompt.multimodal_data", "Images and sound in a prompt are not supported.")
        case {"prompt_string": str(text)}:
            return [text]
    return prompts_of(given, "prompt")


def infill_context(body: InfillBody) -> str:
    """What stands before the texts around the gap: the other files that the editor sent."""
    return "".join(f"{extra.filename or 'snippet'}\n{extra.text}\n\n" for extra in body.input_extra or ())


def pieces(tokens: Sequence[int], texts: Sequence[bytes]) -> list[dict[str, object]]:
    """Tokens with their pieces; one that is no whole text comes as its bytes."""
    return [{"id": token, "piece": _piece(text)} for token, text in zip(tokens, texts, strict=True)]


def _piece(text: bytes) -> str | list[int]:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return list(text)


def props(model: ModelInfo, card: ModelProps) -> dict[str, object]:
    """The model's file is named, and no more: where it lies is nobody's business."""
    return {
        "default_generation_settings": {"n_ctx": model.n_ctx, "params": params(Sampling())},
        "total_slots": card.n_running,
        "model_alias": model.id,
        "model_path": model.id,
        "chat_template": card.chat_template,
        "bos_token": card.bos,
        "eos_token": card.eos,
        "modalities": {"vision": False, "audio": False},
        "build_info": "inglenook",
        "is_sleeping": False,
    }


def slots(
    n_running: int, n_ctx: int, requests: Sequence[Request], shown_ids: Container[str]
) -> list[dict[str, object]]:
    """The places in which requests run side by side. Those that wait for one are not among them. Of requests whose ids
    are not in `shown_ids`, only that they run is shown."""
    running = [*requests[:n_running], *([None] * (n_running - len(requests)))]
    return [
        {
            "id": place,
            "id_task": request.id if request is not None and request.id in shown_ids else -1,
            "n_ctx": n_ctx,
            "speculative": False,
            "is_processing": request is not None,
            "params": params(request.sampling) if request is not None and request.id in shown_ids else {},
        }
        for place, request in enumerate(running)
    ]


def params(chosen: Sampling) -> dict[str, object]:
    """llama.cpp's names."""
    return {
        "seed": -1 if chosen.seed is None else chosen.seed,
        "temperature": chosen.temperature,
        "dynatemp_range": chosen.temperature_range,
        "top_k": chosen.top_k,
        "top_p": chosen.top_p,
        "min_p": chosen.min_p,
        "typical_p": chosen.typical_p,
        "top_n_sigma": chosen.top_n_sigma,
        "xtc_probability": chosen.xtc_probability,
        "xtc_threshold": chosen.xtc_threshold,
        "repeat_last_n": chosen.repeat_last_n,
        "repeat_penalty": chosen.repeat_penalty,
        "presence_penalty": chosen.presence_penalty,
        "frequency_penalty": chosen.frequency_penalty,
        "dry_multiplier": chosen.dry_multiplier,
        "mirostat": 2 if chosen.mirostat else 0,
        "ignore_eos": chosen.ignore_eos,
    }

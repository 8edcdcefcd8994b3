"""Between llama.cpp's own words and the engine's, both ways. Pure."""

from __future__ import annotations

from collections.abc import Container, Sequence

from api.answer import Answer
from api.errors import StoppedHere, openai_body, problem_of
from api.llama.schemas import InfillBody, LlamaBody
from api.openai import logprobs
from api.openai.completion_request import Prompt
from api.openai.formats import constraint
from api.openai.promises import refuse_what_is_not_kept
from api.openai.usage import timings
from api.sampler import sampling
from api.sse import data_frame
from engine.events import Event, Failed, Finished, ModelCard, ModelInfo, Started, TextDelta, TokenChoice
from engine.requests import CompletionRequest, Request, Sampling

HINTS = frozenset({"samplers", "t_max_prompt_ms", "t_max_predict_ms", "n_indent", "n_keep"})
"""What editors send to have a suggestion sooner or tidier; one that comes later or longer is no broken promise."""


def completion_request(body: LlamaBody, prompt: Prompt, request_id: str) -> CompletionRequest:
    """Raises BadRequest, NotKept."""
    refuse_what_is_not_kept(body.model_extra or {}, HINTS if isinstance(body, InfillBody) else ())
    return CompletionRequest(
        prompt=prompt,
        door="endpoint",
        sampling=sampling(body),
        constraint=constraint(None, body.grammar, body.json_schema),
        max_tokens=body.max_tokens if body.n_predict is None else body.n_predict,
        stop=tuple(stop for stop in body.stop if stop),
        n_logprobs=body.n_probs or None,
        id=request_id,
    )


def infill_prompt(body: InfillBody, gap_prompt: str) -> str:
    files = "".join(f"{extra.filename or 'snippet'}\n{extra.text}\n\n" for extra in body.input_extra or ())
    return f"{files}{gap_prompt}{body.prompt or ''}"


def completion(model: str, answer: Answer) -> dict[str, object]:
    """A whole answer."""
    return _last(model, answer.text, answer.choices, answer.finished)


def _last(model: str, text: str, choices: Sequence[TokenChoice], finished: Finished) -> dict[str, object]:
    counts = finished.usage
    shown: dict[str, object] = {
        "index": 0,
        "content": text,
        "tokens": [],
        "id_slot": -1,
        "stop": True,
        "model": model,
        "tokens_predicted": counts.n_output,
        "tokens_evaluated": counts.n_prompt,
        "tokens_cached": counts.n_cached,
        "truncated": False,
        "stop_type": "limit" if finished.reason == "length" else "eos" if finished.stop_string is None else "word",
        "stopping_word": finished.stop_string or "",
        "timings": timings(counts, finished.timings),
    }
    return shown | _scores(choices)


def _scores(choices: Sequence[TokenChoice]) -> dict[str, object]:
    return {"completion_probabilities": logprobs.content(choices)} if choices else {}


class LlamaWriter:
    """A streamed answer, event by event."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._n_prompt = 0
        self._n_output = 0

    def frames(self, place: int, event: Event) -> bytes:
        match event:
            case Started(n_prompt=n_prompt):
                self._n_prompt = n_prompt
            case TextDelta(text=text, n_tokens=n_tokens, choices=choices):
                self._n_output += n_tokens
                return data_frame(
                    {
                        "index": 0,
                        "content": text,
                        "tokens": [],
                        "stop": False,
                        "id_slot": -1,
                        "tokens_predicted": self._n_output,
                        "tokens_evaluated": self._n_prompt,
                        **_scores(choices),
                    }
                )
            case Finished(reason="cancelled"):
                return data_frame(openai_body(problem_of(StoppedHere())))
            case Finished():
                return data_frame(_last(self._model, "", (), event))
            case Failed(error=error):
                return data_frame(openai_body(problem_of(error)))
        return b""


def pieces(tokens: Sequence[int], texts: Sequence[bytes]) -> list[dict[str, object]]:
    """Tokens with their pieces; one that is no whole text comes as its bytes."""
    return [{"id": token, "piece": _piece(text)} for token, text in zip(tokens, texts, strict=True)]


def _piece(text: bytes) -> str | list[int]:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return list(text)


def props(model: ModelInfo, card: ModelCard) -> dict[str, object]:
    """The model's file is named, and no more: where it lies is nobody's business."""
    return {
        "default_generation_settings": {"n_ctx": model.n_ctx, "params": _params(Sampling())},
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
            "params": _params(request.sampling) if request is not None and request.id in shown_ids else {},
        }
        for place, request in enumerate(running)
    ]


def _params(chosen: Sampling) -> dict[str, object]:
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

"""Translates the engine's events to the answers of llama.cpp's server. Does no I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from api.answer import Answer, error_of
from api.fields import logprobs
from api.fields.usage import prompt_progress, timings, timings_in_progress
from api.llama_cpp.props import sampling_params
from api.llama_cpp.schemas import LlamaBody
from api.streaming import data_frame, openai_error_frame
from engine.events import Event, Failed, Finished, PromptProgress, Started, TextDelta, TokenChoice, Usage
from engine.request_state import RequestProgress
from engine.requests import CompletionRequest


@dataclass(frozen=True, slots=True)
class LlamaResponseOptions:
    """Options of one answer. `settings`: the generation parameters, which the last object of the answer contains.
    `prompt_only`: the answer's text and tokens are not returned."""

    model: str
    settings: Mapping[str, object]
    show_probabilities: bool = False
    show_tokens: bool = False
    prompt_only: bool = False
    timings_per_token: bool = False
    fields: tuple[str, ...] = ()
    """The fields of the last object to return. If there are none here, all fields are returned."""

    @classmethod
    def of(cls, model: str, body: LlamaBody, request: CompletionRequest) -> LlamaResponseOptions:
        settings = {
            **sampling_params(request.sampling),
            "n_predict": -1 if body.limit is None else body.limit,
            "stop": list(request.stop),
            "grammar": body.grammar or "",
            "n_probs": body.n_probs or 0,
            "lora": [{"id": each.id, "scale": each.scale} for each in body.lora or ()],
            "stream": bool(body.stream),
        }
        return cls(
            model,
            settings,
            bool(body.n_probs),
            bool(body.return_tokens),
            body.limit == 0,
            bool(body.timings_per_token),
            tuple(body.response_fields or ()),
        )


def completion(options: LlamaResponseOptions, answer: Answer, index: int = 0) -> dict[str, object]:
    """Returns the body of an answer that is not streamed."""
    return _last_object(options, "" if options.prompt_only else answer.text, answer.choices, answer.finished, index)


def _last_object(
    options: LlamaResponseOptions, text: str, choices: Sequence[TokenChoice], finished: Finished, index: int
) -> dict[str, object]:
    counts = replace(finished.usage, n_output=0) if options.prompt_only else finished.usage
    fields: dict[str, object] = {
        "index": index,
        "content": text,
        "tokens": _tokens(options, choices),
        "id_slot": -1,
        "stop": True,
        "model": options.model,
        "tokens_predicted": counts.n_output,
        "tokens_evaluated": counts.n_prompt,
        "tokens_cached": counts.n_cached,
        "generation_settings": dict(options.settings),
        "truncated": False,
        "stop_type": _stop_type(options, finished),
        "stopping_word": finished.stop_string or "",
        "timings": timings(counts, finished.timings),
        **_probabilities(options, choices),
    }
    return _selected(fields, options.fields) if options.fields else fields


def _stop_type(options: LlamaResponseOptions, finished: Finished) -> str:
    if finished.reason == "length" or options.prompt_only:
        return "limit"
    return "eos" if finished.stop_string is None else "word"


def _selected(fields: Mapping[str, object], paths: Sequence[str]) -> dict[str, object]:
    """Returns only the requested fields, each under its full path, as in `timings/prompt_ms`. Fields that do not exist
    are omitted."""
    found: dict[str, object] = {}
    for path in paths:
        value: object = fields
        for step in path.split("/"):
            value = value.get(step, _MISSING) if isinstance(value, Mapping) else _MISSING
        if value is not _MISSING:
            found[path] = value
    return found


_MISSING = object()


def _tokens(options: LlamaResponseOptions, choices: Sequence[TokenChoice]) -> list[int]:
    return [choice.id for choice in choices] if options.show_tokens and not options.prompt_only else []


def _probabilities(options: LlamaResponseOptions, choices: Sequence[TokenChoice]) -> dict[str, object]:
    if not (options.show_probabilities and choices) or options.prompt_only:
        return {}
    return {"completion_probabilities": logprobs.content_with_ids(choices)}


class LlamaChunkWriter:
    """An EventWriter for the stream objects of llama.cpp's server. The objects of several prompts are interleaved."""

    def __init__(
        self, options: LlamaResponseOptions, progress: Callable[[int], RequestProgress | None] = lambda index: None
    ) -> None:
        """`progress`: a function that returns the engine's progress report on the answer at an index, or None once that
        answer has ended."""
        self._options = options
        self._progress = progress
        self._counts: dict[int, Usage] = {}

    def frames(self, index: int, event: Event) -> bytes:
        match event:
            case PromptProgress():
                counts = Usage(event.n_prompt, event.n_cached, 0)
                return data_frame({**_part(index, "", [], counts), "prompt_progress": prompt_progress(event)})
            case Started(n_prompt=n_prompt, n_cached=n_cached):
                self._counts[index] = Usage(n_prompt, n_cached, 0)
            case TextDelta() if not self._options.prompt_only:
                return self._piece(index, event)
            case Failed() | Finished(reason="cancelled"):
                return openai_error_frame(error_of(event))
            case Finished():
                return data_frame(_last_object(self._options, "", (), event, index))
        return b""

    def _piece(self, index: int, event: TextDelta) -> bytes:
        before = self._counts[index]
        counts = self._counts[index] = replace(before, n_output=before.n_output + event.n_tokens)
        progress = self._progress(index) if self._options.timings_per_token else None
        measured = {} if progress is None else {"timings": timings_in_progress(progress)}
        return data_frame(
            {
                **_part(index, event.text, _tokens(self._options, event.choices), counts),
                **_probabilities(self._options, event.choices),
                **measured,
            }
        )


def _part(index: int, text: str, tokens: Sequence[int], counts: Usage) -> dict[str, object]:
    return {
        "index": index,
        "content": text,
        "tokens": tokens,
        "stop": False,
        "id_slot": -1,
        "tokens_predicted": counts.n_output,
        "tokens_evaluated": counts.n_prompt,
    }


def token_pieces(tokens: Sequence[int], texts: Sequence[bytes]) -> list[dict[str, object]]:
    """Returns the tokens for /tokenize: each with its text, or with its bytes if they are not valid UTF-8."""
    return [{"id": token, "piece": _piece(text)} for token, text in zip(tokens, texts, strict=True)]


def _piece(text: bytes) -> str | list[int]:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return list(text)

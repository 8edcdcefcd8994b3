"""The engine's answers → the objects of llama.cpp's own server. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from api.answer import Answer
from api.errors import RequestStopped, openai_body, problem_of
from api.fields import logprobs
from api.fields.usage import prompt_progress, timings, timings_so_far
from api.llama_cpp.request import params
from api.llama_cpp.schemas import LlamaBody
from api.streaming import data_frame
from engine.events import Event, Failed, Finished, Started, TextDelta, TokenChoice, Usage
from engine.request_state import RequestProgress
from engine.requests import CompletionRequest


@dataclass(frozen=True, slots=True)
class CompletionOptions:
    """How completions were asked for. `settings` are those that the engine uses. `silent`: only the prompt is read."""

    model: str
    settings: Mapping[str, object]
    show_probabilities: bool = False
    show_tokens: bool = False
    silent: bool = False
    timings_per_token: bool = False
    fields: tuple[str, ...] = ()
    """Those of the last object that are shown; all, where none is named."""

    @classmethod
    def of(cls, model: str, body: LlamaBody, request: CompletionRequest) -> CompletionOptions:
        settings = {
            **params(request.sampling),
            "n_predict": -1 if body.limit is None else body.limit,
            "stop": list(request.stop),
            "grammar": body.grammar or "",
            "n_probs": body.n_probs or 0,
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


def completion(options: CompletionOptions, answer: Answer, place: int = 0) -> dict[str, object]:
    """A whole answer."""
    return _last(options, "" if options.silent else answer.text, answer.choices, answer.finished, place)


def _last(
    options: CompletionOptions, text: str, choices: Sequence[TokenChoice], finished: Finished, place: int
) -> dict[str, object]:
    counts = replace(finished.usage, n_output=0) if options.silent else finished.usage
    shown: dict[str, object] = {
        "index": place,
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
    return _chosen(shown, options.fields) if options.fields else shown


def _stop_type(options: CompletionOptions, finished: Finished) -> str:
    if finished.reason == "length" or options.silent:
        return "limit"
    return "eos" if finished.stop_string is None else "word"


def _chosen(shown: Mapping[str, object], paths: Sequence[str]) -> dict[str, object]:
    """Only these fields, each under its whole path, as in `timings/prompt_ms`. What does not exist is left out."""
    found: dict[str, object] = {}
    for path in paths:
        value: object = shown
        for step in path.split("/"):
            value = value.get(step, _MISSING) if isinstance(value, Mapping) else _MISSING
        if value is not _MISSING:
            found[path] = value
    return found


_MISSING = object()


def _tokens(options: CompletionOptions, choices: Sequence[TokenChoice]) -> list[int]:
    return [choice.id for choice in choices] if options.show_tokens and not options.silent else []


def _probabilities(options: CompletionOptions, choices: Sequence[TokenChoice]) -> dict[str, object]:
    if not (options.show_probabilities and choices) or options.silent:
        return {}
    return {"completion_probabilities": logprobs.content_with_ids(choices)}


class CompletionWriter:
    """Streamed answers, event by event; those to several prompts come interleaved."""

    def __init__(
        self, options: CompletionOptions, progress: Callable[[int], RequestProgress | None] = lambda place: None
    ) -> None:
        """`progress`: of the answer at a place, None once it has ended."""
        self._options = options
        self._progress = progress
        self._reported: dict[int, int] = {}
        self._counts: dict[int, Usage] = {}

    def frames(self, place: int, event: Event) -> bytes:
        match event:
            case Started(n_prompt=n_prompt, n_cached=n_cached):
                self._counts[place] = Usage(n_prompt, n_cached, 0)
            case TextDelta() if not self._options.silent:
                return self._piece(place, event)
            case Finished(reason="cancelled"):
                return data_frame(openai_body(problem_of(RequestStopped())))
            case Finished():
                return data_frame(_last(self._options, "", (), event, place))
            case Failed(error=error):
                return data_frame(openai_body(problem_of(error)))
        return b""

    def report(self, place: int) -> bytes:
        """An object that says how much of the prompt has been read, once it is tokenized. Never twice the same."""
        progress = self._progress(place)
        if progress is None or not progress.n_prompt or progress.n_read == self._reported.get(place):
            return b""
        self._reported[place] = progress.n_read
        counts = Usage(progress.n_prompt, progress.n_cached, 0)
        return data_frame({**_part(place, "", [], counts), "prompt_progress": prompt_progress(progress)})

    def _piece(self, place: int, event: TextDelta) -> bytes:
        before = self._counts[place]
        counts = self._counts[place] = replace(before, n_output=before.n_output + event.n_tokens)
        progress = self._progress(place) if self._options.timings_per_token else None
        measured = {} if progress is None else {"timings": timings_so_far(progress)}
        return data_frame(
            {
                **_part(place, event.text, _tokens(self._options, event.choices), counts),
                **_probabilities(self._options, event.choices),
                **measured,
            }
        )


def _part(place: int, text: str, tokens: Sequence[int], counts: Usage) -> dict[str, object]:
    return {
        "index": place,
        "content": text,
        "tokens": tokens,
        "stop": False,
        "id_slot": -1,
        "tokens_predicted": counts.n_output,
        "tokens_evaluated": counts.n_prompt,
    }

"""Translates the engine's events to completions. Does no I/O; the caller passes ids and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from api.answer import Answer, error_of
from api.fields.logprobs import LegacyLogprobs, joined
from api.fields.usage import timings, usage
from api.openai.chat.answer import DONE, ResponseMeta
from api.streaming import data_frame, openai_error_frame
from engine.events import Event, Failed, Finished, Started, TextDelta, TokenChoice, Usage


@dataclass(frozen=True, slots=True)
class CompletionResponseOptions:
    """For each prompt, `n_generated` answers are generated, and the best `n` of them are returned.

    `echoes`: the texts of the prompts if the answers must begin with them, else None. `prompt_only`: `max_tokens` is 0,
    and no text is returned after the prompt."""

    n: int = 1
    n_generated: int = 1
    echoes: tuple[str, ...] | None = None
    logprobs: bool = False
    prompt_only: bool = False
    include_usage: bool = False

    def echo(self, index: int) -> str:
        """The prompt's text if it must be repeated before the answer at `index`, else empty."""
        return "" if self.echoes is None else self.echoes[index // self.n_generated]

    def reported(self, finished: Finished) -> Finished:
        return replace(finished, usage=replace(finished.usage, n_output=0)) if self.prompt_only else finished


def text_completion(
    meta: ResponseMeta, answers: Sequence[Answer], options: CompletionResponseOptions
) -> dict[str, object]:
    """Returns the body of an answer that is not streamed."""
    finished = [options.reported(answer.finished) for answer in answers]
    best = enumerate(_best(answers, options))
    whole = _object(meta, [_choice(number, answers[index], options, index) for number, index in best])
    whole["usage"] = usage([each.usage for each in finished], len(answers) // options.n_generated)
    if len(finished) == 1:
        whole["timings"] = timings(finished[0].usage, finished[0].timings)
    return whole


def _best(answers: Sequence[Answer], options: CompletionResponseOptions) -> list[int]:
    """Returns the indices of the `n` best answers to each prompt, the best first.

    If only `n` answers per prompt were generated, returns all indices in order."""
    if options.n == options.n_generated:
        return list(range(len(answers)))
    best: list[int] = []
    for start in range(0, len(answers), options.n_generated):
        group = range(start, start + options.n_generated)
        best += sorted(group, key=lambda index: _mean_logprob(answers[index]), reverse=True)[: options.n]
    return best


def _mean_logprob(answer: Answer) -> float:
    logprobs = [choice.logprob for choice in answer.choices]
    return sum(logprobs) / len(logprobs) if logprobs else float("-inf")


def _choice(number: int, answer: Answer, options: CompletionResponseOptions, index: int) -> dict[str, object]:
    return {
        "text": options.echo(index) + ("" if options.prompt_only else answer.text),
        "index": number,
        "logprobs": _logprobs(answer, options) if options.logprobs else None,
        "finish_reason": answer.finished.reason,
    }


def _logprobs(answer: Answer, options: CompletionResponseOptions) -> dict[str, object]:
    writer, parts = LegacyLogprobs(), []
    if options.echoes is not None:
        parts.append(writer.piece(answer.prompt, starts_prompt=True))
    if not options.prompt_only:
        parts.append(writer.piece(answer.choices))
    if options.echoes is not None and not options.prompt_only:
        # Some clients find the end of the prompt by counting tokens from the end of this list. So the list contains
        # every sampled token.
        parts.append(writer.silent_tokens(max(answer.finished.usage.n_output - len(answer.choices), 0)))
    return joined(parts)


class CompletionChunkWriter:
    """An EventWriter for completion chunks. The chunks of several choices are interleaved."""

    def __init__(self, meta: ResponseMeta, options: CompletionResponseOptions, n_prompts: int) -> None:
        self._meta = meta
        self._options = options
        self._n_prompts = n_prompts
        self._logprobs: dict[int, LegacyLogprobs] = {}
        self._usage: dict[int, Usage] = {}

    def frames(self, index: int, event: Event) -> bytes:
        match event:
            case Started(prompt=prompt):
                self._logprobs[index] = LegacyLogprobs()
                echo = self._options.echo(index)
                return self._text(index, echo, prompt, starts_prompt=True) if echo else b""
            case TextDelta(text=text, choices=choices) if not self._options.prompt_only:
                return self._text(index, text, choices)
            case Failed() | Finished(reason="cancelled"):
                return openai_error_frame(error_of(event))
            case Finished():
                return self._end(index, self._options.reported(event))
        return b""

    def _text(self, index: int, text: str, choices: Sequence[TokenChoice], *, starts_prompt: bool = False) -> bytes:
        logprobs = None
        if self._options.logprobs:
            logprobs = self._logprobs[index].piece(choices, starts_prompt=starts_prompt)
        return self._chunk({"text": text, "index": index, "logprobs": logprobs, "finish_reason": None})

    def _end(self, index: int, finished: Finished) -> bytes:
        self._usage[index] = finished.usage
        n_answers = self._n_prompts * self._options.n
        last = self._chunk({"text": "", "index": index, "logprobs": None, "finish_reason": finished.reason})
        if len(self._usage) < n_answers:
            return last
        if self._options.include_usage:
            total = usage([self._usage[each] for each in range(n_answers)], self._n_prompts)
            last += data_frame({**_object(self._meta, []), "usage": total})
        return last + DONE

    def _chunk(self, choice: dict[str, object]) -> bytes:
        return data_frame(_object(self._meta, [choice]))


def _object(meta: ResponseMeta, choices: list[dict[str, object]]) -> dict[str, object]:
    return {
        "id": meta.id,
        "object": "text_completion",
        "created": meta.created,
        "model": meta.model,
        "choices": choices,
    }

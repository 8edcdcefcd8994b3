"""The engine's answers → OpenAI's completions. Pure: ids and time come from outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from api.answer import Answer
from api.errors import RequestStopped, openai_body, problem_of
from api.fields.logprobs import LegacyLogprobs, joined
from api.fields.usage import timings, usage
from api.openai.chat.answer import DONE, ResponseMeta
from api.streaming import data_frame
from engine.events import Event, Failed, Finished, Started, TextDelta, TokenChoice, Usage


@dataclass(frozen=True, slots=True)
class CompletionResponseOptions:
    """How completions were asked for. Of the `n_generated` answers to each prompt, the best `n` are shown.

    `echoes` are the prompts' texts, where they are to be repeated. `silent`: nothing of the answer is shown."""

    n: int = 1
    n_generated: int = 1
    echoes: tuple[str, ...] | None = None
    logprobs: bool = False
    silent: bool = False
    include_usage: bool = False

    def echo(self, place: int) -> str:
        """What stands before the answer at `place`."""
        return "" if self.echoes is None else self.echoes[place // self.n_generated]

    def said(self, finished: Finished) -> Finished:
        return replace(finished, usage=replace(finished.usage, n_output=0)) if self.silent else finished


def text_completion(
    head: ResponseMeta, answers: Sequence[Answer], manner: CompletionResponseOptions
) -> dict[str, object]:
    """A whole answer."""
    finished = [manner.said(answer.finished) for answer in answers]
    whole = _object(head, [_choice(i, answers[at], manner, at) for i, at in enumerate(_shown(answers, manner))])
    whole["usage"] = usage([each.usage for each in finished], len(answers) // manner.n_generated)
    if len(finished) == 1:
        whole["timings"] = timings(finished[0].usage, finished[0].timings)
    return whole


def _shown(answers: Sequence[Answer], manner: CompletionResponseOptions) -> list[int]:
    """Places of the answers that are shown: of each prompt's the best, the best first."""
    if manner.n == manner.n_generated:
        return list(range(len(answers)))
    groups = [range(at, at + manner.n_generated) for at in range(0, len(answers), manner.n_generated)]
    return [
        at for group in groups for at in sorted(group, key=lambda at: _goodness(answers[at]), reverse=True)[: manner.n]
    ]


def _goodness(answer: Answer) -> float:
    """The mean log probability of its tokens."""
    logprobs = [choice.logprob for choice in answer.choices]
    return sum(logprobs) / len(logprobs) if logprobs else float("-inf")


def _choice(index: int, answer: Answer, manner: CompletionResponseOptions, place: int) -> dict[str, object]:
    text = manner.echo(place) + ("" if manner.silent else answer.text)
    return {
        "text": text,
        "index": index,
        "logprobs": _scores(answer, manner) if manner.logprobs else None,
        "finish_reason": answer.finished.reason,
    }


def _scores(answer: Answer, manner: CompletionResponseOptions) -> dict[str, object]:
    writer, parts = LegacyLogprobs(), []
    if manner.echoes is not None:
        parts.append(writer.of(answer.prompt, first_unknown=True))
    if not manner.silent:
        parts.append(writer.of(answer.choices))
    if manner.echoes is not None and not manner.silent:
        # Those who count tokens from the prompt's end want every one that was chosen.
        parts.append(writer.unsaid(max(answer.finished.usage.n_output - len(answer.choices), 0)))
    return joined(parts)


class CompletionWriter:
    """Streamed answers, event by event; choices come interleaved."""

    def __init__(self, head: ResponseMeta, manner: CompletionResponseOptions, n_prompts: int) -> None:
        self._head = head
        self._manner = manner
        self._n_prompts = n_prompts
        self._scores: dict[int, LegacyLogprobs] = {}
        self._counts: dict[int, Usage] = {}

    def frames(self, place: int, event: Event) -> bytes:
        match event:
            case Started(prompt=prompt):
                self._scores[place] = LegacyLogprobs()
                echo = self._manner.echo(place)
                return self._text(place, echo, prompt, first_unknown=True) if echo else b""
            case TextDelta(text=text, choices=choices) if not self._manner.silent:
                return self._text(place, text, choices)
            case Finished(reason="cancelled"):
                return data_frame(openai_body(problem_of(RequestStopped())))
            case Finished():
                return self._end(place, self._manner.said(event))
            case Failed(error=error):
                return data_frame(openai_body(problem_of(error)))
        return b""

    def _text(self, place: int, text: str, choices: Sequence[TokenChoice], *, first_unknown: bool = False) -> bytes:
        scores = self._scores[place].of(choices, first_unknown=first_unknown) if self._manner.logprobs else None
        return self._chunk({"text": text, "index": place, "logprobs": scores, "finish_reason": None})

    def _end(self, place: int, finished: Finished) -> bytes:
        self._counts[place] = finished.usage
        n_answers = self._n_prompts * self._manner.n
        last = self._chunk({"text": "", "index": place, "logprobs": None, "finish_reason": finished.reason})
        if len(self._counts) < n_answers:
            return last
        if self._manner.include_usage:
            counts = usage([self._counts[at] for at in range(n_answers)], self._n_prompts)
            last += data_frame({**_object(self._head, []), "usage": counts})
        return last + DONE

    def _chunk(self, choice: dict[str, object]) -> bytes:
        return data_frame(_object(self._head, [choice]))


def _object(head: ResponseMeta, choices: list[dict[str, object]]) -> dict[str, object]:
    return {
        "id": head.id,
        "object": "text_completion",
        "created": head.created,
        "model": head.model,
        "choices": choices,
    }

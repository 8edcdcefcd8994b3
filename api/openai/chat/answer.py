"""The engine's answers → OpenAI's chat completions. Pure: ids and time come from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from api.answer import Answer
from api.errors import RequestStopped, openai_body, problem_of
from api.fields import logprobs
from api.fields.usage import prompt_progress, timings, timings_so_far, usage
from api.streaming import data_frame
from engine.events import (
    Event,
    Failed,
    Finished,
    ReasoningDelta,
    Started,
    TextDelta,
    TokenChoice,
    ToolCallDelta,
    ToolCallStarted,
)
from engine.request_state import RequestProgress
from engine.requests import ToolCall

DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class ResponseMeta:
    """What every object of one answer repeats. `created` is Unix time."""

    id: str
    created: int
    model: str


@dataclass(frozen=True, slots=True)
class ResponseOptions:
    """How an answer was asked for."""

    include_usage: bool = False
    n: int = 1
    logprobs: bool = False
    legacy_call: bool = False
    """In OpenAI's first way of calling functions: one, without an id."""
    timings_per_token: bool = False


def completion(head: ResponseMeta, answers: Sequence[Answer], manner: ResponseOptions) -> dict[str, object]:
    """A whole answer."""
    finished = [answer.finished for answer in answers]
    n_reasoning = sum(answer.n_reasoning for answer in answers)
    whole: dict[str, object] = {
        "id": head.id,
        "object": "chat.completion",
        "created": head.created,
        "model": head.model,
        "choices": [_choice(place, answer, manner) for place, answer in enumerate(answers)],
        "usage": usage([each.usage for each in finished], n_reasoning=n_reasoning),
    }
    if len(finished) == 1:
        whole["timings"] = timings(finished[0].usage, finished[0].timings)
    return whole


def _choice(place: int, answer: Answer, manner: ResponseOptions) -> dict[str, object]:
    said: dict[str, object] = {"role": "assistant", "content": answer.text, "refusal": None}
    if answer.reasoning:
        said["reasoning_content"] = answer.reasoning
    if answer.calls:
        said["content"] = answer.text or None
        if manner.legacy_call:
            said["function_call"] = {"name": answer.calls[0].name, "arguments": answer.calls[0].arguments}
        else:
            said["tool_calls"] = [_call(call) for call in answer.calls]
    return {
        "index": place,
        "message": said,
        "logprobs": _logprobs(answer.choices) if manner.logprobs else None,
        "finish_reason": finish_reason(answer.finished, manner),
    }


def _call(call: ToolCall) -> dict[str, object]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _logprobs(choices: Sequence[TokenChoice]) -> dict[str, object]:
    return {"content": logprobs.content(choices), "refusal": None}


def finish_reason(finished: Finished, manner: ResponseOptions) -> str:
    return "function_call" if finished.reason == "tool_calls" and manner.legacy_call else finished.reason


class ChatChunkWriter:
    """A streamed answer, event by event; its choices come interleaved."""

    def __init__(
        self,
        head: ResponseMeta,
        manner: ResponseOptions = ResponseOptions(),
        progress: Callable[[int], RequestProgress | None] = lambda place: None,
    ) -> None:
        """`progress`: of the choice at a place, None once it has ended."""
        self._head = head
        self._manner = manner
        self._progress = progress
        self._reported: dict[int, int] = {}
        self._finished: dict[int, Finished] = {}
        self._n_reasoning = 0

    def frames(self, place: int, event: Event) -> bytes:
        match event:
            case Started():
                return self._delta(place, {"role": "assistant", "content": None})
            case TextDelta(text=text, choices=choices):
                beside = {"logprobs": _logprobs(choices)} if self._manner.logprobs else {}
                return self._delta(place, {"content": text}, beside)
            case ReasoningDelta(text=text, n_tokens=n_tokens):
                self._n_reasoning += n_tokens
                return self._delta(place, {"reasoning_content": text})
            case ToolCallStarted() | ToolCallDelta():
                return self._delta(place, self._call_delta(event))
            case Finished(reason="cancelled"):
                return data_frame(openai_body(problem_of(RequestStopped())))
            case Finished():
                return self._end(place, event)
            case Failed(error=error):
                return data_frame(openai_body(problem_of(error)))

    def report(self, place: int) -> bytes:
        """A chunk that says how much of the prompt has been read, once it is tokenized. Never twice the same."""
        progress = self._progress(place)
        if progress is None or not progress.n_prompt or progress.n_read == self._reported.get(place):
            return b""
        self._reported[place] = progress.n_read
        choice = {"index": place, "delta": {"role": "assistant", "content": None}, "finish_reason": None}
        return self._chunk([choice], {"prompt_progress": prompt_progress(progress)})

    def _call_delta(self, event: ToolCallStarted | ToolCallDelta) -> dict[str, object]:
        """A call's name comes once, with its first piece: clients join what comes twice."""
        if isinstance(event, ToolCallStarted):
            function = {"name": event.name, "arguments": ""}
            call = {"index": event.index, "id": event.id, "type": "function", "function": function}
        else:
            function = {"arguments": event.arguments}
            call = {"index": event.index, "function": function}
        return {"function_call": function} if self._manner.legacy_call else {"tool_calls": [call]}

    def _end(self, place: int, finished: Finished) -> bytes:
        """The last chunk of a single choice holds the timings, be it that of the finish reason or of the usage."""
        self._finished[place] = finished
        manner = self._manner
        measured = {"timings": timings(finished.usage, finished.timings)} if manner.n == 1 else {}
        choice = {"index": place, "delta": {}, "finish_reason": finish_reason(finished, manner)}
        is_last = len(self._finished) == manner.n
        if not (is_last and manner.include_usage):
            return self._chunk([choice], measured) + (DONE if is_last else b"")
        counts = [self._finished[at].usage for at in range(manner.n)]
        counted = {"usage": usage(counts, n_reasoning=self._n_reasoning), **measured}
        return self._chunk([choice], {}) + self._chunk([], counted) + DONE

    def _delta(self, place: int, delta: Mapping[str, object], beside: Mapping[str, object] | None = None) -> bytes:
        progress = self._progress(place) if self._manner.timings_per_token else None
        measured = {} if progress is None else {"timings": timings_so_far(progress)}
        return self._chunk([{"index": place, "delta": delta, **(beside or {}), "finish_reason": None}], measured)

    def _chunk(self, choices: list[dict[str, object]], beside: Mapping[str, object]) -> bytes:
        head = self._head
        return data_frame(
            {
                "id": head.id,
                "object": "chat.completion.chunk",
                "created": head.created,
                "model": head.model,
                "choices": choices,
                **beside,
            }
        )

"""Translates the engine's events to chat completions. Does no I/O; the caller passes ids and time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from api.answer import Answer, error_of
from api.fields import logprobs
from api.fields.usage import prompt_progress, timings, timings_in_progress, usage
from api.streaming import FrameTemplate, data_frame, openai_error_frame
from engine.events import (
    Event,
    Failed,
    Finished,
    PromptProgress,
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
    """Metadata that every object of one answer repeats. `created` is Unix time."""

    id: str
    created: int
    model: str


@dataclass(frozen=True, slots=True)
class ResponseOptions:
    include_usage: bool = False
    n: int = 1
    logprobs: bool = False
    legacy_call: bool = False
    """True if the request has `functions`. The answer then has a `function_call` without an id instead of
    `tool_calls`."""
    timings_per_token: bool = False


def completion(meta: ResponseMeta, answers: Sequence[Answer], options: ResponseOptions) -> dict[str, object]:
    """Returns the body of an answer that is not streamed."""
    finished = [answer.finished for answer in answers]
    n_reasoning = sum(answer.n_reasoning for answer in answers)
    whole: dict[str, object] = {
        "id": meta.id,
        "object": "chat.completion",
        "created": meta.created,
        "model": meta.model,
        "choices": [_choice(index, answer, options) for index, answer in enumerate(answers)],
        "usage": usage([each.usage for each in finished], n_reasoning=n_reasoning),
    }
    if len(finished) == 1:
        whole["timings"] = timings(finished[0].usage, finished[0].timings)
    return whole


def _choice(index: int, answer: Answer, options: ResponseOptions) -> dict[str, object]:
    message: dict[str, object] = {"role": "assistant", "content": answer.text, "refusal": None}
    if answer.reasoning:
        message["reasoning_content"] = answer.reasoning
    if answer.calls:
        message["content"] = answer.text or None
        if options.legacy_call:
            message["function_call"] = {"name": answer.calls[0].name, "arguments": answer.calls[0].arguments}
        else:
            message["tool_calls"] = [_tool_call(call) for call in answer.calls]
    return {
        "index": index,
        "message": message,
        "logprobs": _logprobs(answer.choices) if options.logprobs else None,
        "finish_reason": _finish_reason(answer.finished, options),
    }


def _tool_call(call: ToolCall) -> dict[str, object]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _logprobs(choices: Sequence[TokenChoice]) -> dict[str, object]:
    return {"content": logprobs.content(choices), "refusal": None}


def _finish_reason(finished: Finished, options: ResponseOptions) -> str:
    return "function_call" if finished.reason == "tool_calls" and options.legacy_call else finished.reason


class ChatChunkWriter:
    """An EventWriter for chat completion chunks. The chunks of several choices are interleaved."""

    def __init__(
        self,
        meta: ResponseMeta,
        options: ResponseOptions = ResponseOptions(),
        progress: Callable[[int], RequestProgress | None] = lambda index: None,
    ) -> None:
        """`progress`: a function that returns the engine's progress report on the choice at an index, or None once that
        choice has ended."""
        self._meta = meta
        self._options = options
        self._progress = progress
        self._finished: dict[int, Finished] = {}
        self._n_reasoning = 0
        self._has_extras = options.logprobs or options.timings_per_token
        self._text_templates: dict[int, FrameTemplate] = {}

    def frames(self, index: int, event: Event) -> bytes:
        match event:
            case TextDelta(text=text) if not self._has_extras:
                return self._text_template(index).frame(text)
            case PromptProgress():
                return self._prompt_progress(index, event)
            case Started():
                return self._delta(index, {"role": "assistant", "content": None})
            case TextDelta(text=text, choices=choices):
                scores = {"logprobs": _logprobs(choices)} if self._options.logprobs else {}
                return self._delta(index, {"content": text}, scores)
            case ReasoningDelta(text=text, n_tokens=n_tokens):
                self._n_reasoning += n_tokens
                return self._delta(index, {"reasoning_content": text})
            case ToolCallStarted() | ToolCallDelta():
                return self._delta(index, self._tool_call_delta(event))
            case Failed() | Finished(reason="cancelled"):
                return openai_error_frame(error_of(event))
            case Finished():
                return self._end(index, event)

    def _text_template(self, index: int) -> FrameTemplate:
        if index not in self._text_templates:
            self._text_templates[index] = FrameTemplate(lambda text: self._delta(index, {"content": text}))
        return self._text_templates[index]

    def _prompt_progress(self, index: int, event: PromptProgress) -> bytes:
        choice = {"index": index, "delta": {"role": "assistant", "content": None}, "finish_reason": None}
        return self._chunk([choice], {"prompt_progress": prompt_progress(event)})

    def _tool_call_delta(self, event: ToolCallStarted | ToolCallDelta) -> dict[str, object]:
        """Returns the delta for one piece of a tool call. Only the first piece of a call contains the function's name,
        because clients concatenate the names of all pieces."""
        if isinstance(event, ToolCallStarted):
            function = {"name": event.name, "arguments": ""}
            call = {"index": event.index, "id": event.id, "type": "function", "function": function}
        else:
            function = {"arguments": event.arguments}
            call = {"index": event.index, "function": function}
        return {"function_call": function} if self._options.legacy_call else {"tool_calls": [call]}

    def _end(self, index: int, finished: Finished) -> bytes:
        """Returns the chunk with the finish reason. After the last choice, adds a chunk with the usage if the client
        requested it.

        With a single choice, the last chunk also contains the timings."""
        self._finished[index] = finished
        options = self._options
        measured = {"timings": timings(finished.usage, finished.timings)} if options.n == 1 else {}
        choice = {"index": index, "delta": {}, "finish_reason": _finish_reason(finished, options)}
        is_last = len(self._finished) == options.n
        if not (is_last and options.include_usage):
            return self._chunk([choice], measured) + (DONE if is_last else b"")
        counts = [self._finished[each].usage for each in range(options.n)]
        total = {"usage": usage(counts, n_reasoning=self._n_reasoning), **measured}
        return self._chunk([choice], {}) + self._chunk([], total) + DONE

    def _delta(self, index: int, delta: Mapping[str, object], scores: Mapping[str, object] | None = None) -> bytes:
        progress = self._progress(index) if self._options.timings_per_token else None
        measured = {} if progress is None else {"timings": timings_in_progress(progress)}
        return self._chunk([{"index": index, "delta": delta, **(scores or {}), "finish_reason": None}], measured)

    def _chunk(self, choices: list[dict[str, object]], more: Mapping[str, object]) -> bytes:
        meta = self._meta
        return data_frame(
            {
                "id": meta.id,
                "object": "chat.completion.chunk",
                "created": meta.created,
                "model": meta.model,
                "choices": choices,
                **more,
            }
        )

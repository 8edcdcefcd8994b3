"""Translates the engine's events to Ollama's JSON lines. Does no I/O; the caller passes the time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from api.answer import Answer, AnswerBuilder, arguments_of, error_of
from api.error_bodies import ollama_body, problem_of
from api.fields import logprobs
from api.streaming import line_frame
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
from engine.requests import ToolCall


@dataclass(frozen=True, slots=True)
class OllamaMeta:
    """Metadata of one answer. `is_chat`: the answer contains a message; otherwise it contains a text. `now` returns the
    current Unix time."""

    model: str
    is_chat: bool
    now: Callable[[], float]
    logprobs: bool = False


def timestamp(seconds: float) -> str:
    """Formats a Unix time as in Ollama's answers."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def whole(meta: OllamaMeta, answer: Answer) -> dict[str, object]:
    """Returns the body of an answer that is not streamed."""
    fields = _answer_fields(meta, answer.text, answer.reasoning, answer.calls, answer.choices)
    return {**fields, **_end_fields(answer.finished)}


def loaded(meta: OllamaMeta, unload: bool) -> dict[str, object]:
    """Returns the answer to a request without a prompt. Such a request loads or unloads the model."""
    return {**_answer_fields(meta), "done": True, "done_reason": "unload" if unload else "load"}


def _answer_fields(
    meta: OllamaMeta,
    text: str = "",
    thinking: str = "",
    calls: Sequence[ToolCall] = (),
    choices: Sequence[TokenChoice] = (),
) -> dict[str, object]:
    answer: dict[str, object] = {"role": "assistant", "content": text} if meta.is_chat else {"response": text}
    if thinking:
        answer["thinking"] = thinking
    if calls:
        answer["tool_calls"] = [
            {"id": call.id, "function": {"index": index, "name": call.name, "arguments": arguments_of(call)}}
            for index, call in enumerate(calls)
        ]
    fields: dict[str, object] = {"model": meta.model, "created_at": timestamp(meta.now())}
    fields |= {"message": answer} if meta.is_chat else answer
    if meta.logprobs and choices:
        fields["logprobs"] = logprobs.content(choices)
    return {**fields, "done": False}


def _end_fields(finished: Finished) -> dict[str, object]:
    spent, counts = finished.timings, finished.usage
    return {
        "done": True,
        "done_reason": "length" if finished.reason == "length" else "stop",
        "total_duration": _ns(spent.queue_s + spent.prefill_s + spent.decode_s),
        "load_duration": _ns(spent.queue_s),
        "prompt_eval_count": counts.n_prompt,
        "prompt_eval_duration": _ns(spent.prefill_s),
        "eval_count": counts.n_output,
        "eval_duration": _ns(spent.decode_s),
    }


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)


class OllamaLineWriter:
    """An EventWriter for Ollama's lines. Tool calls are sent at the end, because a line can contain only complete
    ones."""

    def __init__(self, meta: OllamaMeta) -> None:
        self._meta = meta
        self._calls = AnswerBuilder()

    def frames(self, index: int, event: Event) -> bytes:
        match event:
            case PromptProgress() | Started():
                return b""
            case TextDelta(text=text, choices=choices):
                return line_frame(_answer_fields(self._meta, text, choices=choices))
            case ReasoningDelta(text=text):
                return line_frame(_answer_fields(self._meta, thinking=text))
            case ToolCallStarted() | ToolCallDelta():
                self._calls.add(event)
                return b""
            case Failed() | Finished(reason="cancelled"):
                return line_frame(ollama_body(problem_of(error_of(event))))
            case Finished():
                calls = self._calls.answer(event).calls
                call_line = line_frame(_answer_fields(self._meta, calls=calls)) if calls else b""
                return call_line + line_frame({**_answer_fields(self._meta), **_end_fields(event)})

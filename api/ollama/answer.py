"""The engine's answers → Ollama's lines. Pure: the time comes from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from api.answer import Answer, AnswerBuilder, arguments_of
from api.error_bodies import ollama_body
from api.errors import RequestStopped, problem_of
from api.fields import logprobs
from api.streaming import line_frame
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
from engine.requests import ToolCall


@dataclass(frozen=True, slots=True)
class OllamaMeta:
    """`is_chat`: answers are messages, else bare text. `now` gives Unix time."""

    model: str
    is_chat: bool
    now: Callable[[], float]
    logprobs: bool = False


def timestamp(seconds: float) -> str:
    """Unix time as Ollama writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def whole(head: OllamaMeta, answer: Answer) -> dict[str, object]:
    """An answer that is not streamed."""
    said = _said(head, answer.text, answer.reasoning, answer.calls, answer.choices)
    return {**said, **_measured(answer.finished)}


def loaded(head: OllamaMeta, unload: bool) -> dict[str, object]:
    """To a request that says nothing. `unload`: the model goes; else it is there."""
    return {**_said(head), "done": True, "done_reason": "unload" if unload else "load"}


def _said(
    head: OllamaMeta,
    text: str = "",
    thinking: str = "",
    calls: Sequence[ToolCall] = (),
    choices: Sequence[TokenChoice] = (),
) -> dict[str, object]:
    said: dict[str, object] = {"role": "assistant", "content": text} if head.is_chat else {"response": text}
    if thinking:
        said["thinking"] = thinking
    if calls:
        said["tool_calls"] = [
            {"id": call.id, "function": {"index": index, "name": call.name, "arguments": arguments_of(call)}}
            for index, call in enumerate(calls)
        ]
    shown: dict[str, object] = {"model": head.model, "created_at": timestamp(head.now())}
    shown |= {"message": said} if head.is_chat else said
    if head.logprobs and choices:
        shown["logprobs"] = logprobs.content(choices)
    return {**shown, "done": False}


def _measured(finished: Finished) -> dict[str, object]:
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
    """A streamed answer, event by event. Calls have whole arguments here, so they come at the end."""

    def __init__(self, head: OllamaMeta) -> None:
        self._head = head
        self._calls = AnswerBuilder()

    def frames(self, place: int, event: Event) -> bytes:
        match event:
            case Started():
                return b""
            case TextDelta(text=text, choices=choices):
                return line_frame(_said(self._head, text, choices=choices))
            case ReasoningDelta(text=text):
                return line_frame(_said(self._head, thinking=text))
            case ToolCallStarted() | ToolCallDelta():
                self._calls.add(event)
                return b""
            case Finished(reason="cancelled"):
                return line_frame(ollama_body(problem_of(RequestStopped())))
            case Finished():
                calls = self._calls.answer(event).calls
                called = line_frame(_said(self._head, calls=calls)) if calls else b""
                return called + line_frame({**_said(self._head), **_measured(event)})
            case Failed(error=error):
                return line_frame(ollama_body(problem_of(error)))

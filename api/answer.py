"""Collects a complete answer from a request's events, and checks its text against the request's schemas."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from api.errors import RequestStopped
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
from engine.output.constraints.schema_check import unmet_keywords
from engine.requests import ChatRequest, Request, ToolCall

MAX_HEADER_CHARS = 1000


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    finished: Finished
    reasoning: str = ""
    n_reasoning: int = 0
    """Number of tokens sampled for the reasoning."""
    calls: tuple[ToolCall, ...] = ()
    choices: tuple[TokenChoice, ...] = ()
    prompt: tuple[TokenChoice, ...] = ()
    not_enforced: tuple[str, ...] = ()
    """Keywords in the request's JSON schemas that were not enforced during generation."""
    not_met: tuple[str, ...] = ()
    """Keywords from `not_enforced` that the answer violates, as far as that can be checked afterwards."""


class AnswerBuilder:
    """Builds an `Answer` from the events of one request."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[tuple[ToolCallStarted, list[str]]] = []
        self._choices: list[TokenChoice] = []
        self._prompt: tuple[TokenChoice, ...] = ()
        self._n_reasoning = 0
        self._not_enforced: tuple[str, ...] = ()

    def add(self, event: Event) -> Answer | None:
        """Adds an event, and returns the answer if the event was the last one.

        Raises the EngineError of a failed request, and RequestStopped for a cancelled one."""
        match event:
            case Started(prompt=prompt, not_enforced=not_enforced):
                self._prompt, self._not_enforced = prompt, not_enforced
            case TextDelta(text=text, choices=choices):
                self._texts.append(text)
                self._choices += choices
            case ReasoningDelta(text=text, n_tokens=n_tokens):
                self._reasoning.append(text)
                self._n_reasoning += n_tokens
            case ToolCallStarted():
                self._calls.append((event, []))
            case ToolCallDelta(index=index, arguments=arguments):
                self._calls[index][1].append(arguments)
            case Failed() | Finished(reason="cancelled"):
                raise error_of(event)
            case Finished():
                return self.answer(event)
        return None

    def answer(self, finished: Finished) -> Answer:
        """Builds the answer from the events added so far. `finished` is the last event of the answer."""
        calls = tuple(ToolCall(call.id, call.name, "".join(parts)) for call, parts in self._calls)
        return Answer(
            "".join(self._texts),
            finished,
            "".join(self._reasoning),
            self._n_reasoning,
            calls,
            tuple(self._choices),
            self._prompt,
            self._not_enforced,
        )


def error_of(event: Failed | Finished) -> Exception:
    """Returns the exception for a `Failed` event or a cancelled `Finished` event."""
    return event.error if isinstance(event, Failed) else RequestStopped()


def arguments_of(call: ToolCall) -> dict[str, object]:
    """Parses the arguments of a tool call. Returns {} if they are not a JSON object, as in a truncated answer."""
    try:
        arguments = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        return {}
    return arguments if isinstance(arguments, dict) else {}


def violated_keywords(request: Request, answer: Answer) -> tuple[str, ...]:
    """Returns the schema keywords that the answer violates, each with its location. For keywords of a tool's schema,
    the location begins with the name of the tool.

    Checks only keywords that were not enforced during generation. Returns nothing for an answer that was truncated by
    its token limit."""
    if not answer.not_enforced or answer.finished.reason == "length":
        return ()
    found: list[str] = []
    if request.constraint is not None and request.constraint.kind == "json_schema" and not answer.calls:
        found += _violated(answer.text, request.constraint.source)
    schemas = {tool.name: tool.parameters for tool in request.tools} if isinstance(request, ChatRequest) else {}
    for call in answer.calls:
        found += [f"{call.name}: {keyword}" for keyword in _violated(call.arguments, schemas.get(call.name, "true"))]
    return tuple(dict.fromkeys(found))


def _violated(text: str, schema: str) -> tuple[str, ...]:
    try:
        return unmet_keywords(json.loads(text), json.loads(schema))
    except (ValueError, RecursionError):
        return ()


def schema_headers(*, not_enforced: Sequence[str], not_met: Sequence[str] = ()) -> dict[str, str]:
    """Returns response headers that list the schema keywords that were not enforced and those that are violated.

    An empty list adds no header."""
    headers = {"x-schema-not-enforced": not_enforced, "x-schema-not-met": not_met}
    return {name: _header_value(keywords) for name, keywords in headers.items() if keywords}


def _header_value(parts: Sequence[str]) -> str:
    text = "; ".join(dict.fromkeys(parts)).encode("ascii", "backslashreplace").decode()
    line = "".join(char if char.isprintable() else " " for char in text)
    return line if len(line) <= MAX_HEADER_CHARS else f"{line[: MAX_HEADER_CHARS - 3]}..."

"""A whole answer, put together from its events."""

from __future__ import annotations

import json
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
from engine.requests import ToolCall


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    finished: Finished
    reasoning: str = ""
    n_reasoning: int = 0
    """Tokens that were sampled for the reasoning."""
    calls: tuple[ToolCall, ...] = ()
    choices: tuple[TokenChoice, ...] = ()
    prompt: tuple[TokenChoice, ...] = ()
    not_enforced: tuple[str, ...] = ()
    """Keywords of the request's schemas that the answer may break."""
    not_met: tuple[str, ...] = ()
    """Those that it breaks, of what can be checked afterwards."""


class AnswerBuilder:
    """Takes events one by one. Also for a stream that must end with the whole."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._calls: list[tuple[ToolCallStarted, list[str]]] = []
        self._choices: list[TokenChoice] = []
        self._prompt: tuple[TokenChoice, ...] = ()
        self._n_reasoning = 0
        self._not_enforced: tuple[str, ...] = ()

    def add(self, event: Event) -> Answer | None:
        """The answer, once `event` was its last. Raises the EngineError of a failed request, and RequestStopped where
        someone on this machine cut it off."""
        match event:
            case Started(prompt=prompt, not_enforced=not_enforced):
                self._prompt, self._not_enforced = prompt, not_enforced
            case TextDelta(text=text, choices=choices):
                self._texts.append(text)
                self._choices += choices
            case ReasoningDelta(text=text, n_tokens=n_tokens):
                self._thoughts.append(text)
                self._n_reasoning += n_tokens
            case ToolCallStarted():
                self._calls.append((event, []))
            case ToolCallDelta(index=index, arguments=arguments):
                self._calls[index][1].append(arguments)
            case Failed(error=error):
                raise error
            case Finished(reason="cancelled"):
                raise RequestStopped
            case Finished():
                return self.answer(event)
        return None

    def answer(self, finished: Finished) -> Answer:
        """What has come so far, as the whole."""
        calls = tuple(ToolCall(call.id, call.name, "".join(parts)) for call, parts in self._calls)
        return Answer(
            "".join(self._texts),
            finished,
            "".join(self._thoughts),
            self._n_reasoning,
            calls,
            tuple(self._choices),
            self._prompt,
            self._not_enforced,
        )


def arguments_of(call: ToolCall) -> dict[str, object]:
    """A call's arguments as an object; empty where the answer was cut off within them."""
    try:
        arguments = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        return {}
    return arguments if isinstance(arguments, dict) else {}

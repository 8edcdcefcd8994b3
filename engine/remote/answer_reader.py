"""Translates the events of a streamed answer, in OpenAI's format and its variants, to the engine's events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.errors import EngineError, ServerFailed
from engine.events import (
    Event,
    FinishReason,
    PromptProgress,
    ReasoningDelta,
    Started,
    TextDelta,
    TokenChoice,
    Usage,
)
from engine.remote.server_errors import stream_error
from engine.remote.token_choices import token_choices
from engine.remote.tool_call_reader import ToolCallReader
from engine.remote.untrusted_json import (
    InvalidJson,
    JsonObject,
    SurrogateJoiner,
    count_in,
    object_in,
    objects_in,
    read_object,
    text_in,
)

DONE = b"[DONE]"

_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}
_FAILURES = frozenset(("error", "abort", "cancelled", "insufficient_system_resource"))


class AnswerFailed(Exception):
    """The server reported an error in the stream."""

    def __init__(self, error: EngineError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(slots=True)
class Ending:
    """What is known about the end of an answer."""

    reason: FinishReason
    stop_string: str | None = None


class AnswerReader:
    """Reads one answer. `add` takes the data of one server-sent event after another."""

    def __init__(self, host: str, *, wants_choices: bool, n_others: int = 0, parallel_calls: bool = True) -> None:
        """`n_others`: the number of alternatives of each token that are kept, if `wants_choices`."""
        self.host = host
        self._wants_choices = wants_choices
        self._n_others = n_others
        self._text, self._reasoning = SurrogateJoiner(), SurrogateJoiner()
        self._calls = ToolCallReader(parallel_calls)
        self._choices: list[TokenChoice] = []
        """Choices of tokens whose text has not arrived yet."""
        self._progress: PromptProgress | None = None
        self.usage: Usage | None = None
        self.has_started = False
        self.ending: Ending | None = None
        self.is_done = False
        """Whether the server sent the mark of the end."""

    def add(self, data: bytes) -> list[Event]:
        """Returns the events in the data of one server-sent event. Raises AnswerFailed."""
        if data == DONE:
            self.is_done = True
            return []
        if not data.strip():
            return []
        try:
            chunk = read_object(data)
        except InvalidJson:
            raise AnswerFailed(ServerFailed(self.host, "it sent an event that is not JSON", 200)) from None
        if chunk.get("error") or chunk.get("object") == "error":
            raise AnswerFailed(stream_error(self.host, chunk))
        self._read_usage(chunk)
        choices = objects_in(chunk, "choices")
        if "prompt_progress" in chunk and not self.has_started:
            return [self._read_progress(object_in(chunk, "prompt_progress"))]
        return self._read_choice(choices[0]) if choices else []

    def close(self) -> list[Event]:
        """Returns the events that were held back until the end of the stream."""
        events = self._text_events(self._text.close(), self._reasoning.close(), [])
        return self._started(events)

    def _read_choice(self, choice: JsonObject) -> list[Event]:
        """A choice of a stream has a `delta`, that of a whole answer a `message`, and that of a completion a `text`."""
        delta = object_in(choice, "delta") or object_in(choice, "message")
        text = self._text.add(_raw_text(delta, "content") or _raw_text(choice, "text"))
        reasoning = self._reasoning.add(_raw_text(delta, "reasoning_content") or _raw_text(delta, "reasoning"))
        choices = token_choices(choice, self._n_others) if self._wants_choices else []
        events = self._text_events(text, reasoning, choices)
        events += self._calls.add(delta)
        self._read_ending(choice)
        return self._started(events)

    def _text_events(self, text: str, reasoning: str, choices: list[TokenChoice]) -> list[Event]:
        events: list[Event] = []
        if reasoning:
            events.append(ReasoningDelta(reasoning, 1))
            choices = choices if text else []
        self._choices += choices
        if text:
            held, self._choices = self._choices, []
            events.append(TextDelta(text, max(len(held), 1), tuple(held)))
        return events

    def _started(self, events: list[Event]) -> list[Event]:
        if self.has_started or not (events or self.ending):
            return events
        self.has_started = True
        counts = self._progress or self.usage
        return [Started(counts.n_prompt, counts.n_cached) if counts else Started(0, 0), *events]

    def _read_ending(self, choice: JsonObject) -> None:
        given = choice.get("finish_reason")
        if given is None:
            return
        name = text_in(given, "type") if isinstance(given, dict) else str(given)
        if name in _FAILURES:
            raise AnswerFailed(ServerFailed(self.host, "it aborted the answer", 200))
        reason = _REASONS.get(name, "stop")
        if self._calls.n_calls and reason == "stop":
            reason = "tool_calls"
        stop = choice.get("stop_reason")  # vLLM's field for the stop string
        self.ending = Ending(reason, stop if isinstance(stop, str) else None)

    def _read_usage(self, chunk: JsonObject) -> None:
        usage = object_in(chunk, "usage")
        if not usage:
            return
        n_prompt = count_in(usage, "prompt_tokens")
        n_cached = min(count_in(object_in(usage, "prompt_tokens_details"), "cached_tokens"), n_prompt)
        timings = object_in(chunk, "timings")
        n_drafted, n_accepted = count_in(timings, "draft_n"), count_in(timings, "draft_n_accepted")
        self.usage = Usage(n_prompt, n_cached, count_in(usage, "completion_tokens"), n_drafted, n_accepted)

    def _read_progress(self, progress: JsonObject) -> PromptProgress:
        n_prompt = count_in(progress, "total")
        self._progress = PromptProgress(
            n_prompt,
            min(count_in(progress, "cache"), n_prompt),
            min(count_in(progress, "processed"), n_prompt),
            count_in(progress, "time_ms") / 1000,
        )
        return self._progress


def _raw_text(data: JsonObject, name: str) -> str:
    """A text, or the texts of a list of content parts. May contain surrogates."""
    found: Any = data.get(name)
    if isinstance(found, str):
        return found
    if isinstance(found, list):
        parts = [part.get("text") for part in found if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return ""

"""Turns the bytes of an answer's tokens into events: UTF-8 text, stop strings, reasoning, tool calls."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from engine.events import Delta, Event, ReasoningDelta, TextDelta, TokenChoice, ToolCallDelta, ToolCallStarted
from engine.output.chat_format import OutputParserConfig
from engine.output.stop_strings import StopStrings
from engine.output.utf8_decoder import Utf8Decoder


class AnswerAssembler:
    """Turns the tokens of one answer into events. Call `feed` once for each token.

    Events contain whole characters only, and no part of a stop string. Stop strings apply to answer text, not to
    reasoning or tool calls."""

    def __init__(self, stops: Sequence[str], config: OutputParserConfig | None = None) -> None:
        """Without `config` the whole answer is text."""
        self._decoder = Utf8Decoder()
        self._stops = StopStrings(stops)
        self._parser = config.create_parser() if config else None
        self._single_call = config is not None and config.single_call
        self._arguments = ""
        self._n_pending = 0  # number of tokens since the last event
        self._choices: list[TokenChoice] = []
        self._interrupted = False  # whether `_choices` may include tokens of reasoning or calls
        self.n_calls = 0

    @property
    def in_answer(self) -> bool:
        """Whether the next token belongs to the answer, not to reasoning or a message header."""
        return self._parser is None or self._parser.in_answer

    @property
    def stop_string(self) -> str | None:
        """The stop string that ended the answer; None if none did."""
        return self._stops.found

    def feed(self, data: bytes, choice: TokenChoice | None = None) -> tuple[list[Event], bool]:
        """Feeds the bytes of one token.

        Returns the events that are certain now, and whether the answer ends here. It ends after a stop string, or after
        the first tool call if only one is allowed."""
        self._n_pending += 1
        if choice is not None:
            self._choices.append(choice)
        text = self._decoder.feed(data)
        if self._parser is None:
            shown, stopped = self._stops.feed(text)
            return self._text_events(shown), stopped
        return self._events(self._parser.feed(text))

    def flush(self, *, cut: bool = False) -> list[Event]:
        """Ends the answer, and returns events for the text that was held back. `cut`: the answer was truncated."""
        if self._parser is None:
            return self._text_events(self._stops.flush())
        events, stopped = self._events(self._parser.finish(cut=cut))
        return events if stopped else [*events, *self._text_events(self._stops.flush())]

    def _events(self, deltas: Iterable[Delta]) -> tuple[list[Event], bool]:
        events: list[Event] = []
        for delta in deltas:
            if self._single_call and self.n_calls and not isinstance(delta, ToolCallDelta):
                return events, True
            if isinstance(delta, TextDelta):
                shown, stopped = self._stops.feed(delta.text)
                events += self._text_events(shown)
                if stopped:
                    return events, True
                continue
            events += self._text_events(self._stops.flush())
            events.append(self._other_event(delta))
            if self._single_call and _is_complete_object(self._arguments):
                return events, True
        return events, False

    def _text_events(self, text: str) -> list[Event]:
        if not text:
            return []
        choices = _choices_of_text(self._choices, text) if self._interrupted else self._choices
        event = TextDelta(text, self._n_pending, tuple(choices))
        self._n_pending, self._interrupted = 0, False
        self._choices.clear()
        return [event]

    def _other_event(self, delta: ReasoningDelta | ToolCallStarted | ToolCallDelta) -> Event:
        n_tokens, self._n_pending, self._interrupted = self._n_pending, 0, True
        self._choices.clear()
        match delta:
            case ReasoningDelta():
                return replace(delta, n_tokens=n_tokens)
            case ToolCallStarted():
                self.n_calls += 1
            case ToolCallDelta():
                self._arguments += delta.arguments if self._single_call else ""
        return delta


def _is_complete_object(arguments: str) -> bool:
    if not arguments.endswith("}"):
        return False
    try:
        json.loads(arguments)
    except (ValueError, RecursionError):
        return False
    return True


def _choices_of_text(choices: Sequence[TokenChoice], text: str) -> Sequence[TokenChoice]:
    """The tokens that produced `text`, without the tokens of a marker that precedes `text`."""
    start = b"".join(choice.token for choice in choices).rfind(text.encode())
    n_before = 0
    for index, choice in enumerate(choices):
        n_before += len(choice.token)
        if n_before > start:
            return choices[index:]
    return choices

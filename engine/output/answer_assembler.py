"""One answer's tokens, as bytes, → what its asker hears of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from engine.events import Event, ReasoningDelta, TextDelta, TokenChoice, ToolCallDelta, ToolCallStarted
from engine.output.chat_format import OutputParserConfig
from engine.output.output_parser import Delta, Said, Thought
from engine.output.stop_strings import StopStrings
from engine.output.tool_call_parser import CallArguments, CallStarted
from engine.output.utf8_decoder import Utf8Decoder


class AnswerAssembler:
    """Whole characters, each in its channel, and nothing of a stop string. Stop strings count in the answer's text
    only. Feed it token by token."""

    def __init__(self, stops: Sequence[str], channels: OutputParserConfig | None = None) -> None:
        """Without `channels` all is text."""
        self._decoder = Utf8Decoder()
        self._stops = StopStrings(stops)
        self._parser = channels.parser() if channels else None
        self._one_call = channels is not None and channels.one_call
        self._arguments = ""
        self._n_unsaid = 0
        self._choices: list[TokenChoice] = []
        self._interrupted = False  # tokens of other channels may be among the choices
        self.n_calls = 0

    @property
    def in_answer(self) -> bool:
        """Whether the answer itself goes on: no thought before it, and no header."""
        return self._parser is None or self._parser.in_answer

    @property
    def stop_string(self) -> str | None:
        """The one that ended the answer."""
        return self._stops.found

    def feed(self, data: bytes, choice: TokenChoice | None = None) -> tuple[list[Event], bool]:
        """What can be told now, and whether the answer ends here: by a stop string, or after its only call."""
        self._n_unsaid += 1
        if choice is not None:
            self._choices.append(choice)
        text = self._decoder.feed(data)
        if self._parser is None:
            shown, stopped = self._stops.feed(text)
            return self._text(shown), stopped
        return self._told(self._parser.feed(text))

    def flush(self, *, cut: bool = False) -> list[Event]:
        """The rest, when the answer ended otherwise; `cut`: before the model ended it."""
        if self._parser is None:
            return self._text(self._stops.flush())
        events, stopped = self._told(self._parser.finish(cut=cut))
        return events if stopped else [*events, *self._text(self._stops.flush())]

    def _told(self, deltas: Iterable[Delta]) -> tuple[list[Event], bool]:
        events: list[Event] = []
        for delta in deltas:
            if self._one_call and self.n_calls and not isinstance(delta, CallArguments):
                return events, True
            if isinstance(delta, Said):
                shown, stopped = self._stops.feed(delta.text)
                events += self._text(shown)
                if stopped:
                    return events, True
                continue
            events += self._text(self._stops.flush())
            events.append(self._other(delta))
            if self._one_call and _is_whole(self._arguments):
                return events, True
        return events, False

    def _text(self, text: str) -> list[Event]:
        if not text:
            return []
        choices = _written_by(self._choices, text) if self._interrupted else self._choices
        event = TextDelta(text, self._n_unsaid, tuple(choices))
        self._n_unsaid, self._interrupted = 0, False
        self._choices.clear()
        return [event]

    def _other(self, delta: Thought | CallStarted | CallArguments) -> Event:
        n_tokens, self._n_unsaid, self._interrupted = self._n_unsaid, 0, True
        self._choices.clear()
        match delta:
            case Thought(text):
                return ReasoningDelta(text, n_tokens)
            case CallStarted(index, id, name):
                self.n_calls += 1
                return ToolCallStarted(index, id, name)
            case CallArguments(index, text):
                self._arguments += text if self._one_call else ""
                return ToolCallDelta(index, text)


def _is_whole(arguments: str) -> bool:
    if not arguments.endswith("}"):
        return False
    try:
        json.loads(arguments)
    except (ValueError, RecursionError):
        return False
    return True


def _written_by(choices: Sequence[TokenChoice], text: str) -> Sequence[TokenChoice]:
    """Those of the tokens that wrote `text`: before them stand others, of a marker."""
    at = b"".join(choice.token for choice in choices).rfind(text.encode())
    n_before = 0
    for place, choice in enumerate(choices):
        n_before += len(choice.token)
        if n_before > at:
            return choices[place:]
    return choices

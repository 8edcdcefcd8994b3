"""One answer's text → what is said, what is thought, and which tools are called, while it streams."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.output.incremental_scanner import END, SPACE, IncrementalScanner, ScanStep
from engine.output.tool_call_parser import CallArguments, CallStarted, ToolCallParser
from engine.output.tool_call_syntax import MessageHeaders, OutputFormat
from engine.requests import Tool


@dataclass(frozen=True, slots=True)
class Said:
    """Text of the answer, never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Thought:
    """Reasoning before the answer, never empty."""

    text: str


Delta = Said | Thought | CallStarted | CallArguments

_MAX_HEADER = 512
_RECIPIENT = re.compile(r"\bto=([^\s<]+)")
_CHANNEL = re.compile(r"<\|channel\|>\s*(\w+)")


class OutputParser:
    """Takes an answer apart. Feed it the text of all tokens, the format's `markers` included and its `ends` not.

    However the text is cut, the joined deltas are the same. A marker is never shown in part: what began like one and
    is none is shown once that is certain. Calls are looked for only where `tools` are offered. White space around
    markers is theirs; a plain answer comes out as it is."""

    def __init__(
        self,
        format: OutputFormat,
        tools: Sequence[Tool],
        ids: Callable[[], str],
        *,
        in_thought: bool = False,
        must_call: bool = False,
    ) -> None:
        """`ids` gives a fresh id for a call that brings none. `in_thought`: the prompt has opened the reasoning
        already (engine.output.model_families.opens_reasoning). `must_call`: the answer is constrained to calls, so it
        has no text."""
        self._format = format
        self._source = IncrementalScanner()
        self._out: list[Delta] = []
        self._tools = {tool.name: tool for tool in tools}
        self._reader = ToolCallParser(self._source, self._emit, self._tools, ids)
        self._thinking = in_thought
        self._must_call = must_call
        self._cut = False
        self._answering = False  # within the message that is the answer, where there are headers
        self._fresh = True  # nothing was said since the beginning, a thought or a call
        self._framed = in_thought  # a marker stands before, so white space means nothing
        self._closers: list[str] = []  # markers to be dropped, because their opening one was
        self._spoken: set[type[Delta]] = set()  # the channels of earlier messages
        self._calls = format.calls if tools else ()
        self._firsts = self._first_characters()
        self._reading = self._messages(format.headers) if format.headers else self._stream()
        next(self._reading)

    @property
    def in_answer(self) -> bool:
        """Whether the answer itself goes on here: no thought, and no header."""
        return self._answering if self._format.headers else not self._thinking

    def feed(self, text: str) -> list[Delta]:
        """What is certain now."""
        self._source.add(text)
        return self._advance()

    def finish(self, *, cut: bool = False) -> list[Delta]:
        """What was held back, once nothing more can come. A call that was cut short keeps its arguments unclosed.
        `cut`: the model had not ended its answer, so a call that has only begun is not shown as text."""
        self._cut = self._reader.cut = cut
        self._source.end()
        deltas = self._advance()
        return [delta for delta in deltas if not isinstance(delta, Said)] if self._must_call else deltas

    def _advance(self) -> list[Delta]:
        next(self._reading, None)
        out, self._out = self._out, []
        return _joined(out)

    def _emit(self, delta: Delta) -> None:
        self._out.append(delta)

    def _show(self, text: str) -> None:
        if not text:
            return
        channel = Thought if self._thinking else Said
        if self._format.headers and self._fresh and channel in self._spoken:
            text = "\n\n" + text  # two messages, not one word
        self._spoken.add(channel)
        self._fresh = self._fresh and not self._format.headers
        self._emit(channel(text))

    # A stream with markers in it

    def _first_characters(self) -> frozenset[str]:
        """With what characters something other than text may begin."""
        texts = [opener for calls in self._calls for opener in (*calls.openers, calls.section[1])]
        texts += self._format.dropped
        if thinking := self._format.thinking:
            texts += [thinking.open, thinking.close, *thinking.answer]
        if any(calls.is_bare for calls in self._calls):
            texts += ["{", "["]
        return SPACE | frozenset(text[0] for text in texts if text)

    def _stream(self) -> ScanStep[None]:
        while True:
            space = yield from self._source.space()
            first = yield from self._source.peek()
            if first != END and first in self._firsts and (yield from self._marker()):
                self._framed = self._fresh = True
                continue
            if not self._framed:
                self._show(space)
            if first == END:
                return
            self._framed = self._fresh = False
            self._show((yield from self._source.char()))
            self._show(self._source.run(self._firsts))

    def _marker(self) -> ScanStep[bool]:
        """Whether a marker stood here; then it is consumed, and the whole call where it began one."""
        source = self._source
        thinking = self._format.thinking
        if self._thinking:
            if thinking and (yield from source.literal(thinking.close)):
                self._thinking = False
                yield from self._answer(thinking.answer)
                return True
        else:
            if thinking and (self._fresh or thinking.anywhere) and (yield from source.literal(thinking.open)):
                self._thinking = True
                return True
            # Where a prompt has closed the thought already, some models close it again.
            stray = (thinking.close,) if thinking and self._fresh else ()
            if found := (yield from source.one_of((*stray, *self._closers, *self._format.dropped))):
                if found in self._closers:
                    self._closers.remove(found)
                return True
        return (yield from self._call())

    def _answer(self, tags: tuple[str, str]) -> ScanStep[None]:
        """The tag that may stand before the answer, after a thought."""
        place = self._source.hold()
        yield from self._source.space()
        if tags[0] and (yield from self._source.literal(tags[0])):
            self._source.release(place)
            self._closers.append(tags[1])
        else:
            self._source.rewind(place)

    def _call(self) -> ScanStep[bool]:
        for calls in self._calls:
            # Within a thought a call counts, since models forget to close it; but only one that can be meant.
            if calls.is_bare and (self._thinking or not self._fresh):
                continue
            if (yield from self._reader.read(calls, only_known=calls.is_bare or self._thinking)):
                self._thinking = False
                if calls.section[1] and calls.section[1] not in self._closers:
                    self._closers.append(calls.section[1])
                return True
        return False

    # A sequence of messages under headers

    def _messages(self, headers: MessageHeaders) -> ScanStep[None]:
        source = self._source
        # The prompt ends within the first header.
        openers: tuple[str, ...] = (*headers.openers, headers.close, " to=", "to=")
        firsts = frozenset(text[0] for text in (*headers.openers, *headers.ends))
        while (first := (yield from source.peek())) != END:
            if (yield from source.one_of(headers.ends)):
                self._thinking = self._answering = False
            elif header := (yield from self._header(openers, headers)):
                channel = _CHANNEL.search(header)
                self._thinking = channel is not None and channel[1] == headers.thought
                self._answering = channel is not None and channel[1] == headers.answer
                self._fresh = True
                yield from self._recipient(header)
            else:
                self._show((yield from source.char()))
                self._show(source.run(firsts))
            if first:
                openers = headers.openers

    def _header(self, openers: Sequence[str], headers: MessageHeaders) -> ScanStep[str]:
        """A whole header, consumed; "" where none stands here."""
        source = self._source
        place = source.hold()
        found = yield from source.one_of(openers)
        while found and not found.endswith(headers.close):
            char = yield from source.char()
            if char == END and self._cut:
                source.release(place)
                return ""
            found += char
            if char == END or len(found) > _MAX_HEADER or found.endswith(headers.ends):
                found = ""
        if found:
            source.release(place)
        else:
            source.rewind(place)
        return found

    def _recipient(self, header: str) -> ScanStep[None]:
        """The call in a message to a tool. What goes to others is text, or reasoning."""
        recipient = _RECIPIENT.search(header)
        name = recipient[1] if recipient and self._tools else ""
        known = name.startswith("functions.") or name in self._tools
        if known and (yield from self._reader.read_json(name.removeprefix("functions."))):
            yield from self._source.space()


def _joined(deltas: Sequence[Delta]) -> list[Delta]:
    """Neighbours of one kind as one."""
    out: list[Delta] = []
    for delta in deltas:
        match out[-1] if out else None, delta:
            case Said(before), Said(text):
                out[-1] = Said(before + text)
            case Thought(before), Thought(text):
                out[-1] = Thought(before + text)
            case CallArguments(index, before), CallArguments(same, text) if index == same:
                out[-1] = CallArguments(index, before + text)
            case _:
                out.append(delta)
    return out

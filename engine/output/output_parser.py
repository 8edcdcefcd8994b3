"""Splits the text of one streamed answer into answer text, reasoning and tool calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from engine.events import Delta, ReasoningDelta, TextDelta, are_mergeable, merge_deltas
from engine.output.incremental_scanner import END, SPACE, IncrementalScanner, ScanStep
from engine.output.tool_call_parser import ToolCallParser
from engine.output.tool_call_syntax import MessageHeaders, OutputFormat
from engine.requests import Tool

_MAX_HEADER = 512
_RECIPIENT = re.compile(r"\bto=([^\s<]+)")
_CHANNEL = re.compile(r"<\|channel\|>\s*(\w+)")


class OutputParser:
    """Parses the text of one answer.

    Feed it the text of all tokens, including the format's `markers` but not its `eog_texts`. The joined deltas do not
    depend on how the text is split. Text that may be the start of a marker is held back until it is known whether it is
    one.

    Tool calls are recognised only if `tools` are given. White space next to markers is dropped. An answer without
    markers is returned unchanged. The deltas have `n_tokens` 0."""

    def __init__(
        self,
        format: OutputFormat,
        tools: Sequence[Tool],
        new_id: Callable[[], str],
        *,
        starts_in_reasoning: bool = False,
        calls_only: bool = False,
    ) -> None:
        """`new_id` returns an id for a call that has none. `starts_in_reasoning`: the prompt has started the reasoning
        (see `opens_reasoning`). `calls_only`: the answer is constrained to calls, so text that is left at its end is
        dropped."""
        self._format = format
        self._scanner = IncrementalScanner()
        self._out: list[Delta] = []
        self._tools = {tool.name: tool for tool in tools}
        self._calls = ToolCallParser(self._scanner, self._out.append, self._tools, new_id)
        self._in_reasoning = starts_in_reasoning
        self._calls_only = calls_only
        self._cut = False
        self._in_answer_message = False  # in formats with message headers: whether the current message is the answer
        # whether no text was emitted since the start of the answer, the last reasoning or the last call
        self._is_fresh = True
        self._after_marker = starts_in_reasoning  # whether the next white space is dropped
        self._pending_closers: list[str] = []  # closing markers to drop, because the opening ones were dropped
        self._seen_channels: set[type[Delta]] = set()
        self._syntaxes = format.call_syntaxes if tools else ()
        self._marker_starts = self._first_characters()
        self._steps = self._messages(format.headers) if format.headers else self._stream()
        next(self._steps)

    @property
    def in_answer(self) -> bool:
        """Whether the next text belongs to the answer, not to reasoning or a message header."""
        return self._in_answer_message if self._format.headers else not self._in_reasoning

    def feed(self, text: str) -> list[Delta]:
        """Feeds a piece of text. Returns the deltas that are certain now."""
        self._scanner.feed(text)
        return self._advance()

    def finish(self, *, cut: bool = False) -> list[Delta]:
        """Ends the answer, and returns deltas for the text that was held back.

        The arguments of an incomplete call stay unclosed. `cut`: the answer was truncated, so the start of a call is
        not shown as text."""
        self._cut = self._calls.cut = cut
        self._scanner.close()
        deltas = self._advance()
        return [delta for delta in deltas if not isinstance(delta, TextDelta)] if self._calls_only else deltas

    def _advance(self) -> list[Delta]:
        next(self._steps, None)
        deltas = _merged(self._out)
        self._out.clear()
        return deltas

    def _emit_text(self, text: str) -> None:
        if not text:
            return
        channel = ReasoningDelta if self._in_reasoning else TextDelta
        if self._format.headers and self._is_fresh and channel in self._seen_channels:
            text = "\n\n" + text  # an empty line separates two messages of the same channel
        self._seen_channels.add(channel)
        self._is_fresh = self._is_fresh and not self._format.headers
        self._out.append(channel(text))

    def _first_characters(self) -> frozenset[str]:
        """The characters with which white space, a marker or a call can start."""
        texts = [text for syntax in self._syntaxes for text in (*syntax.opening_markers, syntax.section[1])]
        texts += self._format.ignored_markers
        if reasoning := self._format.reasoning:
            texts += [reasoning.open, reasoning.close, *reasoning.answer_tags]
        if any(syntax.is_bare for syntax in self._syntaxes):
            texts += ["{", "["]
        return SPACE | frozenset(text[0] for text in texts if text)

    def _stream(self) -> ScanStep[None]:
        while True:
            space = yield from self._scanner.whitespace()
            first = yield from self._scanner.peek()
            if first != END and first in self._marker_starts and (yield from self._marker()):
                self._after_marker = self._is_fresh = True
                continue
            if not self._after_marker:
                self._emit_text(space)
            if first == END:
                return
            self._after_marker = self._is_fresh = False
            self._emit_text((yield from self._scanner.next_char()))
            self._emit_text(self._scanner.take_until(self._marker_starts))

    def _marker(self) -> ScanStep[bool]:
        """Consumes a marker, and the whole call if the marker starts one. Returns False if there is no marker here."""
        scanner, reasoning = self._scanner, self._format.reasoning
        if self._in_reasoning:
            if reasoning and (yield from scanner.match(reasoning.close)):
                self._in_reasoning = False
                yield from self._answer_tag(reasoning.answer_tags)
                return True
        else:
            can_start = reasoning and (self._is_fresh or reasoning.anywhere)
            if reasoning and can_start and (yield from scanner.match(reasoning.open)):
                self._in_reasoning = True
                return True
            # Some models close the reasoning again although the prompt has closed it.
            stray = (reasoning.close,) if reasoning and self._is_fresh else ()
            dropped = (*stray, *self._pending_closers, *self._format.ignored_markers)
            if found := (yield from scanner.match_any(dropped)):
                if found in self._pending_closers:
                    self._pending_closers.remove(found)
                return True
        return (yield from self._call())

    def _answer_tag(self, tags: tuple[str, str]) -> ScanStep[None]:
        """Consumes the optional tag between reasoning and answer."""
        start = self._scanner.mark()
        yield from self._scanner.whitespace()
        if tags[0] and (yield from self._scanner.match(tags[0])):
            self._scanner.release(start)
            self._pending_closers.append(tags[1])
        else:
            self._scanner.rewind(start)

    def _call(self) -> ScanStep[bool]:
        for syntax in self._syntaxes:
            # Models may forget to close their reasoning. A call inside it therefore counts if it has a marker and names
            # an offered tool.
            if syntax.is_bare and (self._in_reasoning or not self._is_fresh):
                continue
            if (yield from self._calls.read(syntax, only_known=syntax.is_bare or self._in_reasoning)):
                self._in_reasoning = False
                if syntax.section[1] and syntax.section[1] not in self._pending_closers:
                    self._pending_closers.append(syntax.section[1])
                return True
        return False

    def _messages(self, headers: MessageHeaders) -> ScanStep[None]:
        scanner = self._scanner
        # The prompt ends inside the header of the first message.
        openers: tuple[str, ...] = (*headers.openers, headers.close, " to=", "to=")
        marker_starts = frozenset(text[0] for text in (*headers.openers, *headers.ends))
        while (first := (yield from scanner.peek())) != END:
            if (yield from scanner.match_any(headers.ends)):
                self._in_reasoning = self._in_answer_message = False
            elif header := (yield from self._header(openers, headers)):
                channel = _CHANNEL.search(header)
                self._in_reasoning = channel is not None and channel[1] == headers.reasoning_channel
                self._in_answer_message = channel is not None and channel[1] == headers.answer_channel
                self._is_fresh = True
                yield from self._addressed_call(header)
            else:
                self._emit_text((yield from scanner.next_char()))
                self._emit_text(scanner.take_until(marker_starts))
            if first:
                openers = headers.openers

    def _header(self, openers: Sequence[str], headers: MessageHeaders) -> ScanStep[str]:
        """Consumes and returns a whole message header; an empty text if there is none here."""
        scanner = self._scanner
        start = scanner.mark()
        found = yield from scanner.match_any(openers)
        while found and not found.endswith(headers.close):
            char = yield from scanner.next_char()
            if char == END and self._cut:
                scanner.release(start)
                return ""
            found += char
            if char == END or len(found) > _MAX_HEADER or found.endswith(headers.ends):
                found = ""
        if found:
            scanner.release(start)
        else:
            scanner.rewind(start)
        return found

    def _addressed_call(self, header: str) -> ScanStep[None]:
        """Reads the call in a message that is addressed to a tool. Messages to other recipients stay text."""
        recipient = _RECIPIENT.search(header)
        name = recipient[1] if recipient and self._tools else ""
        is_tool = name.startswith("functions.") or name in self._tools
        if is_tool and (yield from self._calls.read_arguments(name.removeprefix("functions."))):
            yield from self._scanner.whitespace()


def _merged(deltas: Sequence[Delta]) -> list[Delta]:
    """Merges neighbouring deltas of the same kind."""
    groups: list[list[Delta]] = []
    for delta in deltas:
        if groups and are_mergeable(groups[-1][-1], delta):
            groups[-1].append(delta)
        else:
            groups.append([delta])
    return [group[0] if len(group) == 1 else merge_deltas(group) for group in groups]

"""Parses tool calls from streamed text, in the call syntaxes of a format.

A call is emitted once its name is known and its arguments start. Before that, no part of it is emitted; if the text
turns out not to be a call, the scanner rewinds and the text is emitted as plain text.

Emitted parts are never withdrawn. If the arguments become malformed, the call ends without its closing bracket, and the
rest is plain text. A truncated call is therefore never valid JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from engine.events import ToolCallDelta, ToolCallStarted
from engine.output.incremental_scanner import IncrementalScanner, Malformed, ScanStep
from engine.output.json_schema import load_schema, properties
from engine.output.lenient_json import JsonScanner, LenientJsonReader, unwrapped
from engine.output.tagged_arguments import TaggedArgumentReader
from engine.output.tool_call_syntax import ToolCallSyntax, steps
from engine.requests import Tool

_NAME_KEYS = ("name", "tool_name")
_ARGUMENT_KEYS = ("arguments", "parameters", "args")
_ID_KEYS = ("id", "tool_call_id", "call_id")
_WORD_PUNCTUATION = "_-.:/$"
_MAX_WORD = 256


class ToolCallParser:
    """Reads one block of tool calls at a time (calls that follow each other without text in between), and emits the
    events for these calls. Not thread-safe."""

    def __init__(
        self,
        scanner: IncrementalScanner,
        emit: Callable[[ToolCallStarted | ToolCallDelta], None],
        tools: Mapping[str, Tool],
        new_id: Callable[[], str],
    ) -> None:
        self._scanner = scanner
        self._emit = emit
        self._tools = tools
        self._new_id = new_id
        self._n_calls = 0
        self._reset_call()
        self._only_known = False
        self.cut = False
        """Whether the answer was truncated. If so, a call that has a marker but no name yet is dropped."""
        self._json_scanner = JsonScanner(scanner)
        self._lenient_json = LenientJsonReader(scanner, self._emit_arguments)

    def _reset_call(self) -> None:
        self._name = ""
        self._id = ""
        self._started = False
        self._marker_read = False
        self._committed: int | None = None
        """A marked position in the scanner. The text before this position belongs to the call."""

    def read(self, syntax: ToolCallSyntax, *, only_known: bool) -> ScanStep[bool]:
        """Reads a block of calls. Returns whether there was one; if not, nothing is consumed.

        `only_known`: the call must name an offered tool."""
        self._only_known = only_known
        return (yield from self._attempt(self._block(syntax)))

    def read_arguments(self, name: str) -> ScanStep[bool]:
        """As `read`, but for a call whose name is already known, and whose JSON arguments come next."""
        self._only_known = False
        return (yield from self._attempt(self._named_json(name)))

    def _attempt(self, steps: ScanStep[None]) -> ScanStep[bool]:
        start = self._scanner.mark()
        self._reset_call()
        try:
            yield from steps
        except Malformed:
            if self._committed is not None:
                self._scanner.rewind(self._committed)
        if not self._started:
            if self.cut and self._marker_read and self._scanner.is_at_end:
                self._scanner.release(start)
                return True
            self._scanner.rewind(start)
            return False
        self._scanner.release(start)
        return True

    def _block(self, syntax: ToolCallSyntax) -> ScanStep[None]:
        section = syntax.section[0].rstrip()
        self._marker_read = (yield from self._scanner.match(section)) and bool(section)
        parts = steps(syntax.call)
        for part, following in zip(parts, (*parts[1:], None), strict=True):
            if self._started:
                self._commit()
            yield from self._scanner.whitespace()
            if part.is_slot:
                ender = following.text if following and not following.is_slot else ""
                yield from self._slot(part.text, syntax, ender)
            else:
                yield from self._expect(part.text)
                self._marker_read = self._marker_read or not syntax.is_bare

    def _slot(self, slot: str, syntax: ToolCallSyntax, ender: str) -> ScanStep[None]:
        """Reads the content of a slot of the template. `ender`: the literal text after the slot."""
        match slot:
            case "name":
                self._name = yield from self._word()
            case "id":
                self._id = yield from self._word()
            case "word":
                yield from self._word()
            case "json":
                yield from self._json(ender)
            case "parameters":
                yield from self._parameters(syntax, ender)
            case "relaxed":
                yield from self._lenient_object()
            case "python":
                yield from self._several(self._python)
            case _:
                in_list = yield from self._scanner.match("[")
                yield from self._scanner.whitespace()
                yield from self._several(partial(self._envelope, ender, 0))
                yield from self._scanner.match("]" if in_list else "")

    def _expect(self, text: str) -> ScanStep[None]:
        yield from self._scanner.whitespace()
        if not (yield from self._scanner.match(text)):
            raise Malformed

    def _word(self) -> ScanStep[str]:
        found: list[str] = []
        while (char := (yield from self._scanner.peek())).isalnum() or (char and char in _WORD_PUNCTUATION):
            found.append((yield from self._scanner.next_char()))
            if len(found) > _MAX_WORD:
                raise Malformed
        if not found:
            raise Malformed
        return "".join(found)

    def _start(self) -> None:
        """Emits the start of the call. After that, its text can no longer become plain text."""
        name = self._name or self._id.removeprefix("functions.").rpartition(":")[0] or self._id
        if name not in self._tools and name.removeprefix("functions.") in self._tools:
            name = name.removeprefix("functions.")
        if not name or (self._only_known and name not in self._tools):
            raise Malformed
        self._name, self._started, self._committed = name, True, None
        self._scanner.release_marks()
        self._emit(ToolCallStarted(self._n_calls, self._id or self._new_id(), name))
        self._n_calls += 1

    def _commit(self) -> int:
        """Assigns the text read so far to the call. If an error follows, only later text becomes plain text."""
        self._scanner.release_marks()
        self._committed = self._scanner.mark()
        return self._committed

    def _emit_arguments(self, text: str) -> None:
        if text:
            self._emit(ToolCallDelta(self._n_calls - 1, text))

    def _named_json(self, name: str) -> ScanStep[None]:
        self._name = name
        yield from self._scanner.whitespace()
        yield from self._json("")

    def _json(self, ender: str) -> ScanStep[None]:
        match (yield from self._scanner.peek()):
            case "{":
                self._start()
                yield from self._json_scanner.value(self._emit_arguments, ender)
            case _ if ender and (yield from self._scanner.lookahead(ender)):
                self._start()
                self._emit_arguments("{}")
            case _:
                raise Malformed

    def _parameters(self, syntax: ToolCallSyntax, ender: str) -> ScanStep[None]:
        tool = self._tools.get(self._name)
        schemas = properties(load_schema(tool.parameters)) if tool else {}
        reader = TaggedArgumentReader(self._scanner, self._emit_arguments, syntax.parameter, ender, schemas)
        if not (yield from reader.is_next()):
            raise Malformed
        self._start()
        yield from reader.read()

    def _lenient_object(self) -> ScanStep[None]:
        if (yield from self._scanner.peek()) != "{":
            raise Malformed
        self._start()
        yield from self._scanner.next_char()
        yield from self._lenient_json.members("}", ":")

    def _several(self, read_one: Callable[[], ScanStep[None]]) -> ScanStep[None]:
        """Reads several calls that are separated by commas, semicolons or nothing."""
        scanner = self._scanner
        yield from read_one()
        while True:
            committed = self._commit()
            yield from scanner.whitespace()
            yield from scanner.match_any((",", ";"))
            yield from scanner.whitespace()
            if not (yield from self._attempt(read_one())):
                self._started, self._committed = True, None
                scanner.rewind(committed)
                return

    def _python(self) -> ScanStep[None]:
        self._name = (yield from self._word()).removesuffix(".call")
        yield from self._scanner.whitespace()
        if (yield from self._scanner.peek()) != "(":
            raise Malformed
        self._start()
        yield from self._scanner.next_char()
        tool = self._tools.get(self._name)
        names = tuple(properties(load_schema(tool.parameters))) if tool else ()
        yield from self._lenient_json.members(")", "=", names=names)

    def _envelope(self, ender: str, depth: int) -> ScanStep[None]:
        """Reads one JSON object that holds a call's name, arguments and perhaps id, in any order."""
        scanner = self._scanner
        early: list[str] = []  # arguments that precede the name
        yield from self._expect("{")
        while True:
            yield from scanner.whitespace()
            if (yield from scanner.match("}")):
                break
            key = yield from self._json_scanner.string()
            yield from self._expect(":")
            yield from scanner.whitespace()
            early = (yield from self._envelope_member(key, ender, depth)) or early
            if self._started:
                self._commit()
            yield from scanner.whitespace()
            if not (yield from scanner.match(",")):
                if not self._started or (yield from scanner.peek()) == "}":
                    yield from self._expect("}")
                break
        if not self._started:
            self._start()
            self._emit_arguments(unwrapped("".join(early)) if early else "{}")

    def _envelope_member(self, key: str, ender: str, depth: int) -> ScanStep[list[str]]:
        """Reads the value of one key of a call's JSON object.

        If the value holds arguments and the name was not read yet, returns the value; otherwise nothing."""
        first = yield from self._scanner.peek()
        if key in _NAME_KEYS or (key == "function" and first == '"'):
            self._name = yield from self._json_scanner.string()
            if self._only_known and self._name not in self._tools:
                raise Malformed
        elif key == "function" and depth == 0:
            yield from self._envelope(ender, 1)
        elif key in _ID_KEYS and first == '"':
            self._id = yield from self._json_scanner.string()
        elif key in _ARGUMENT_KEYS and self._name and not self._started:
            self._start()
            yield from self._arguments(ender)
        elif self._only_known and not self._name and key != "type":
            raise Malformed
        else:
            value: list[str] = []
            yield from self._json_scanner.value(value.append, "")
            return value if key in _ARGUMENT_KEYS else []
        return []

    def _arguments(self, ender: str) -> ScanStep[None]:
        """Emits the arguments in a call's JSON object while they arrive.

        If they are written as a string that contains JSON, the string has to be complete before it is decoded."""
        if (yield from self._scanner.peek()) in ("{", "["):
            yield from self._json_scanner.value(self._emit_arguments, ender)
        else:
            value: list[str] = []
            yield from self._json_scanner.value(value.append, ender)
            self._emit_arguments(unwrapped("".join(value)))

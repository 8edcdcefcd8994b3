"""Tool calls out of text, by the samples of a format.

A call begins for good when its name is known and its arguments have begun. Until then nothing of it is shown, and
where it turns out to be none, the reader goes back and the text stays text. After that nothing is taken back: where
the arguments go wrong they stay as far as they came, unclosed, and the rest is text. So a call that was cut short can
never be taken for a whole one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from engine.output.incremental_scanner import IncrementalScanner, Malformed, ScanStep
from engine.output.json_schema import load_schema, properties
from engine.output.json_text import JsonScanner, unwrapped
from engine.output.lenient_json import LenientJsonReader
from engine.output.tagged_arguments import TaggedArgumentReader
from engine.output.tool_call_syntax import Calls, steps
from engine.requests import Tool

_NAME_KEYS = ("name", "tool_name")
_ARGUMENT_KEYS = ("arguments", "parameters", "args")
_ID_KEYS = ("id", "tool_call_id", "call_id")
_WORD_MARKS = "_-.:/$"
_MAX_WORD = 256


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A call begins; its name is given here once, whole. `index` counts the calls of one answer from 0."""

    index: int
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class CallArguments:
    """More of that call's arguments, JSON text."""

    index: int
    text: str


class ToolCallParser:
    """Reads one block of calls at a time and emits what they are."""

    def __init__(
        self,
        source: IncrementalScanner,
        emit: Callable[[CallStarted | CallArguments], None],
        tools: Mapping[str, Tool],
        ids: Callable[[], str],
    ) -> None:
        self._source = source
        self._emit = emit
        self._tools = tools
        self._ids = ids
        self._n_calls = 0
        self._begin_call()
        self._only_known = False
        self.cut = False
        """The text that has ended was cut off: a call of which its marker came, and no name, is not shown."""
        self._json_text = JsonScanner(source)
        self._relaxed = LenientJsonReader(source, self._argue)

    def _begin_call(self) -> None:
        self._name = ""
        self._id = ""
        self._started = False
        self._opened = False  # its marker was read
        self._settled: int | None = None

    def read(self, calls: Calls, *, only_known: bool) -> ScanStep[bool]:
        """Whether a call stood here; if not, nothing was consumed. `only_known`: it must name an offered tool."""
        self._only_known = only_known
        return (yield from self._attempt(self._block(calls)))

    def read_json(self, name: str) -> ScanStep[bool]:
        """The same for a call whose name is known already, where only its arguments stand here."""
        self._only_known = False
        return (yield from self._attempt(self._named_json(name)))

    def _attempt(self, reading: ScanStep[None]) -> ScanStep[bool]:
        place = self._source.hold()
        self._begin_call()
        try:
            yield from reading
        except Malformed:
            if self._settled is not None:
                self._source.rewind(self._settled)
        if not self._started:
            if self.cut and self._opened and self._source.is_exhausted:
                self._source.release(place)
                return True
            self._source.rewind(place)
            return False
        self._source.release(place)
        return True

    def _block(self, calls: Calls) -> ScanStep[None]:
        section = calls.section[0].rstrip()
        self._opened = (yield from self._source.literal(section)) and bool(section)
        parts = steps(calls.call)
        for part, following in zip(parts, (*parts[1:], None), strict=True):
            ender = following.text if following and not following.is_slot else ""
            if self._started:
                self._settle()
            yield from self._source.space()
            if not part.is_slot:
                yield from self._expect(part.text)
                self._opened = self._opened or not calls.is_bare
                continue
            match part.text:
                case "name":
                    self._name = yield from self._word()
                case "id":
                    self._id = yield from self._word()
                case "word":
                    yield from self._word()
                case "json":
                    yield from self._json(ender)
                case "parameters":
                    yield from self._parameters(calls, ender)
                case "relaxed":
                    yield from self._relaxed_object()
                case "python":
                    yield from self._several(self._python)
                case _:
                    listed = yield from self._source.literal("[")
                    yield from self._source.space()
                    yield from self._several(partial(self._envelope, ender, 0))
                    yield from self._source.literal("]" if listed else "")

    def _expect(self, text: str) -> ScanStep[None]:
        yield from self._source.space()
        if not (yield from self._source.literal(text)):
            raise Malformed

    def _word(self) -> ScanStep[str]:
        found: list[str] = []
        while (char := (yield from self._source.peek())).isalnum() or (char and char in _WORD_MARKS):
            found.append((yield from self._source.char()))
            if len(found) > _MAX_WORD:
                raise Malformed
        if not found:
            raise Malformed
        return "".join(found)

    # What a call consists of

    def _start(self) -> None:
        """From here on it is a call."""
        name = self._name or self._id.removeprefix("functions.").rpartition(":")[0] or self._id
        if name not in self._tools and name.removeprefix("functions.") in self._tools:
            name = name.removeprefix("functions.")
        if not name or (self._only_known and name not in self._tools):
            raise Malformed
        self._name, self._started, self._settled = name, True, None
        self._source.release_all()
        self._emit(CallStarted(self._n_calls, self._id or self._ids(), name))
        self._n_calls += 1

    def _settle(self) -> int:
        """What was read so far belongs to the call; what goes wrong from here on is text."""
        self._source.release_all()
        self._settled = self._source.hold()
        return self._settled

    def _argue(self, text: str) -> None:
        if text:
            self._emit(CallArguments(self._n_calls - 1, text))

    def _named_json(self, name: str) -> ScanStep[None]:
        self._name = name
        yield from self._source.space()
        yield from self._json("")

    def _json(self, ender: str) -> ScanStep[None]:
        match (yield from self._source.peek()):
            case "{":
                self._start()
                yield from self._json_text.value(self._argue, ender)
            case _ if ender and (yield from self._source.ahead(ender)):
                self._start()
                self._argue("{}")
            case _:
                raise Malformed

    def _parameters(self, calls: Calls, ender: str) -> ScanStep[None]:
        tool = self._tools.get(self._name)
        schemas = properties(load_schema(tool.parameters)) if tool else {}
        reader = TaggedArgumentReader(self._source, self._argue, calls.parameter, ender, schemas)
        if not (yield from reader.begins()):
            raise Malformed
        self._start()
        yield from reader.read()

    def _relaxed_object(self) -> ScanStep[None]:
        if (yield from self._source.peek()) != "{":
            raise Malformed
        self._start()
        yield from self._source.char()
        yield from self._relaxed.pairs("}", ":")

    def _several(self, one: Callable[[], ScanStep[None]]) -> ScanStep[None]:
        """Calls with commas or nothing between them."""
        source = self._source
        yield from one()
        while True:
            settled = self._settle()
            yield from source.space()
            yield from source.one_of((",", ";"))
            yield from source.space()
            if not (yield from self._attempt(one())):
                self._started, self._settled = True, None
                source.rewind(settled)
                return

    def _python(self) -> ScanStep[None]:
        self._name = (yield from self._word()).removesuffix(".call")
        yield from self._source.space()
        if (yield from self._source.peek()) != "(":
            raise Malformed
        self._start()
        yield from self._source.char()
        tool = self._tools.get(self._name)
        names = tuple(properties(load_schema(tool.parameters))) if tool else ()
        yield from self._relaxed.pairs(")", "=", names=names)

    def _envelope(self, ender: str, depth: int) -> ScanStep[None]:
        """One object that holds a name and arguments, in any order."""
        source = self._source
        held: list[str] | None = None
        yield from self._expect("{")
        while True:
            yield from source.space()
            if (yield from source.literal("}")):
                break
            key = yield from self._json_text.string()
            yield from self._expect(":")
            yield from source.space()
            first = yield from source.peek()
            if key in _NAME_KEYS or (key == "function" and first == '"'):
                self._name = yield from self._json_text.string()
                if self._only_known and self._name not in self._tools:
                    raise Malformed
            elif key == "function" and depth == 0:
                yield from self._envelope(ender, 1)
            elif key in _ID_KEYS and first == '"':
                self._id = yield from self._json_text.string()
            elif key in _ARGUMENT_KEYS and self._name and not self._started:
                self._start()
                yield from self._arguments(ender)
            elif self._only_known and not self._name and key != "type":
                raise Malformed
            else:
                other: list[str] = []
                yield from self._json_text.value(other.append, "")
                held = other if key in _ARGUMENT_KEYS else held
            if self._started:
                self._settle()
            yield from source.space()
            if not (yield from source.literal(",")):
                if not self._started or (yield from source.peek()) == "}":
                    yield from self._expect("}")
                break
        if not self._started:
            self._start()
            self._argue(unwrapped("".join(held)) if held else "{}")

    def _arguments(self, ender: str) -> ScanStep[None]:
        """The value of an envelope's arguments. JSON within a string comes out of it, so it has to be whole first."""
        if (yield from self._source.peek()) in ("{", "["):
            yield from self._json_text.value(self._argue, ender)
        else:
            held: list[str] = []
            yield from self._json_text.value(held.append, ender)
            self._argue(unwrapped("".join(held)))

"""Reads the arguments of a tool call that are written one by one between tags. Emits them as one JSON object while they
arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.output.incremental_scanner import END, IncrementalScanner, Malformed, ScanStep
from engine.output.json_schema import Schema, escaped, is_string_schema, quoted, to_json
from engine.output.tool_call_syntax import steps

_MAX_KEY = 256


class TaggedArgumentReader:
    """Reads arguments in the syntax `template` until `ender`, which is not consumed.

    Strings are emitted while they arrive. Other values have to be complete first, because only then is it known whether
    they are JSON. Raises Malformed before it consumes text that it cannot read."""

    def __init__(
        self,
        scanner: IncrementalScanner,
        emit: Callable[[str], None],
        template: str,
        ender: str,
        schemas: Mapping[str, Schema],
    ) -> None:
        self._scanner = scanner
        self._emit = emit
        self._ender = ender
        self._schemas = schemas
        self._steps = steps(template)
        self._open = self._steps[0].text
        self._close = self._steps[-1].text
        self._allows_cdata = any(step.text == "cdata" for step in self._steps)
        self._on_own_lines = "\n{value}\n" in template

    def is_next(self) -> ScanStep[bool]:
        """Whether an argument or the end of the arguments comes next."""
        yield from self._scanner.whitespace()
        return (yield from self._scanner.lookahead(self._open)) or (yield from self._scanner.lookahead(self._ender))

    def read(self) -> ScanStep[None]:
        n = 0
        self._emit("{")
        while True:
            yield from self._scanner.whitespace()
            if not (yield from self._scanner.lookahead(self._open)):
                break
            yield from self._argument(", " if n else "")
            n += 1
        if not (yield from self._scanner.lookahead(self._ender)):
            raise Malformed
        self._emit("}")

    def _argument(self, comma: str) -> ScanStep[None]:
        scanner = self._scanner
        start = scanner.mark()
        key, string_flag = "", ""
        try:
            for step, following in zip(self._steps, self._steps[1:], strict=False):
                if step.text == "key" and step.is_slot:
                    key = yield from self._word(following.text)
                elif step.text == "string" and step.is_slot:
                    string_flag = yield from self._word(following.text)
                elif step.is_slot:
                    break
                elif not (yield from scanner.match(step.text)):
                    raise Malformed
                elif not following.is_slot:
                    yield from scanner.whitespace()
        except Malformed:
            scanner.rewind(start)
            raise
        scanner.release(start)
        self._emit(f"{comma}{quoted(key)}: ")
        yield from self._value(self._schemas.get(key), string_flag)

    def _word(self, ender: str) -> ScanStep[str]:
        found: list[str] = []
        while not (yield from self._scanner.lookahead(ender)):
            char = yield from self._scanner.next_char()
            if char in (END, "\n") or len(found) > _MAX_KEY:
                raise Malformed
            found.append(char)
        return "".join(found).strip()

    def _value(self, schema: Schema | None, string_flag: str) -> ScanStep[None]:
        scanner = self._scanner
        closers: tuple[str, ...] = (self._close,)
        if self._on_own_lines:
            yield from scanner.match("\n")
            closers = ("\n" + self._close, self._close)
        elif self._allows_cdata and (yield from scanner.match("<![CDATA[")):
            closers = ("]]>" + self._close,)
        if string_flag == "true" or (not string_flag and schema is not None and is_string_schema(schema)):
            self._emit('"')
            if (yield from scanner.read_until(closers, lambda text: self._emit(escaped(text)))):
                self._emit('"')
            return
        value: list[str] = []
        is_complete = yield from scanner.read_until(closers, value.append)
        text = "".join(value)
        self._emit(to_json(text, None if string_flag else schema) if is_complete else text)

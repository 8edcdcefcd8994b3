"""Arguments that are written one by one between tags → one JSON object, while they stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.output.incremental_scanner import END, IncrementalScanner, Malformed, ScanStep
from engine.output.json_schema import Schema, escaped, is_text, quoted, to_json
from engine.output.tool_call_syntax import steps

_MAX_KEY = 256


class TaggedArgumentReader:
    """Reads arguments as `sample` says, up to `ender`, which it leaves. Strings stream; other values have to be whole
    before it is known whether they are JSON. Raises Malformed in front of what it cannot read."""

    def __init__(
        self,
        source: IncrementalScanner,
        say: Callable[[str], None],
        sample: str,
        ender: str,
        schemas: Mapping[str, Schema],
    ) -> None:
        self._source = source
        self._say = say
        self._ender = ender
        self._schemas = schemas
        self._steps = steps(sample)
        self._open = self._steps[0].text
        self._close = self._steps[-1].text
        self._boxed = any(step.text == "cdata" for step in self._steps)
        self._in_lines = "\n{value}\n" in sample

    def begins(self) -> ScanStep[bool]:
        """Whether an argument stands here, or the end of all."""
        yield from self._source.space()
        return (yield from self._source.ahead(self._open)) or (yield from self._source.ahead(self._ender))

    def read(self) -> ScanStep[None]:
        n = 0
        self._say("{")
        while True:
            yield from self._source.space()
            if not (yield from self._source.ahead(self._open)):
                break
            yield from self._one(", " if n else "")
            n += 1
        if not (yield from self._source.ahead(self._ender)):
            raise Malformed
        self._say("}")

    def _one(self, comma: str) -> ScanStep[None]:
        source = self._source
        place = source.hold()
        key, is_string = "", ""
        try:
            for step, following in zip(self._steps, self._steps[1:], strict=False):
                if step.text == "key" and step.is_slot:
                    key = yield from self._word(following.text)
                elif step.text == "string" and step.is_slot:
                    is_string = yield from self._word(following.text)
                elif step.is_slot:
                    break
                elif not (yield from source.literal(step.text)):
                    raise Malformed
                elif not following.is_slot:
                    yield from source.space()
        except Malformed:
            source.rewind(place)
            raise
        source.release(place)
        self._say(f"{comma}{quoted(key)}: ")
        yield from self._value(self._schemas.get(key), is_string)

    def _word(self, ender: str) -> ScanStep[str]:
        found: list[str] = []
        while not (yield from self._source.ahead(ender)):
            char = yield from self._source.char()
            if char in (END, "\n") or len(found) > _MAX_KEY:
                raise Malformed
            found.append(char)
        return "".join(found).strip()

    def _value(self, schema: Schema | None, is_string: str) -> ScanStep[None]:
        source = self._source
        closers: tuple[str, ...] = (self._close,)
        if self._in_lines:
            yield from source.literal("\n")
            closers = ("\n" + self._close, self._close)
        elif self._boxed and (yield from source.literal("<![CDATA[")):
            closers = ("]]>" + self._close,)
        if is_string == "true" or (not is_string and schema is not None and is_text(schema)):
            self._say('"')
            if (yield from source.until(closers, lambda text: self._say(escaped(text)))):
                self._say('"')
            return
        held: list[str] = []
        whole = yield from source.until(closers, held.append)
        text = "".join(held)
        self._say(to_json(text, None if is_string else schema) if whole else text)

"""Values in a relaxed notation → JSON, while they stream: keys may stand bare, strings may have quotes of their own,
and words may be Python's."""

from __future__ import annotations

from collections.abc import Callable

from engine.output.incremental_scanner import END, IncrementalScanner, Malformed, ScanStep
from engine.output.json_schema import escaped, quoted, to_json

MAX_DEPTH = 64
RAW_QUOTES = ('<|"|>', "<escape>")
"""Quotes within which nothing is escaped."""
_CLOSERS = frozenset(",]})")
_ESCAPES = {"n": "\\n", "t": "\\t", "r": "\\r", "b": "\\b", "f": "\\f", "\\": "\\\\", '"': '\\"', "'": "'", "/": "/"}


class LenientJsonReader:
    """Reads values from the source and says them as JSON. Raises Malformed in front of what it cannot read."""

    def __init__(self, source: IncrementalScanner, say: Callable[[str], None]) -> None:
        self._source = source
        self._say = say

    def value(self, depth: int = 0) -> ScanStep[None]:
        source = self._source
        yield from source.space()
        match (yield from source.peek()):
            case "{" if depth < MAX_DEPTH:
                yield from source.char()
                yield from self.pairs("}", ":", depth + 1)
            case "[" if depth < MAX_DEPTH:
                yield from source.char()
                yield from self._items(depth + 1)
            case _:
                if quote := (yield from self._quote()):
                    self._say('"')
                    yield from self._string(quote, self._say, '"')
                else:
                    yield from self._bare()

    def pairs(self, close: str, colon: str, depth: int = 0, names: tuple[str, ...] = ()) -> ScanStep[None]:
        """What follows an opened object, its `close` included. Values without a key are called by `names` in turn."""
        self._say("{")
        n = 0
        while (yield from self._goes_on(close, n)):
            name = names[n] if n < len(names) else ""
            key = yield from self._key(colon, name)
            self._say((", " if n else "") + quoted(key) + ": ")
            yield from self.value(depth)
            n += 1
        self._say("}")

    def _items(self, depth: int) -> ScanStep[None]:
        self._say("[")
        n = 0
        while (yield from self._goes_on("]", n)):
            self._say(", " if n else "")
            yield from self.value(depth)
            n += 1
        self._say("]")

    def _goes_on(self, close: str, n: int) -> ScanStep[bool]:
        """Whether another member follows the first `n`; its comma, or the closing bracket, is consumed."""
        source = self._source
        yield from source.space()
        if (yield from source.literal(close)):
            return False
        if n and not (yield from source.literal(",")):
            raise Malformed
        yield from source.space()
        return not (n and (yield from source.literal(close)))  # a comma too many

    def _key(self, colon: str, name: str) -> ScanStep[str]:
        """A key and the colon after it; or `name` and nothing consumed, where a value stands without a key."""
        source = self._source
        place = source.hold()
        found: list[str] = []
        if quote := (yield from self._quote()):
            yield from self._string(quote, found.append, "")
        else:
            while (char := (yield from source.peek())).isalnum() or char in ("_", "-", ".", "$"):
                found.append((yield from source.char()))
                if len(found) > 256:
                    break
        yield from source.space()
        if found and (yield from source.literal(colon)):
            source.release(place)
            return "".join(found)
        source.rewind(place)
        if name:
            return name
        raise Malformed

    def _quote(self) -> ScanStep[str]:
        return (yield from self._source.one_of((*RAW_QUOTES, '"', "'")))

    def _string(self, quote: str, say: Callable[[str], None], close: str) -> ScanStep[None]:
        """What follows an opening quote. `say` gets it escaped for JSON; for a key the escapes hardly matter."""
        source = self._source
        if quote in RAW_QUOTES:
            if (yield from source.until((quote,), lambda text: say(escaped(text)))):
                say(close)
            return
        while True:
            match (yield from source.char()):
                case char if char == END:
                    return
                case char if char == quote:
                    say(close)
                    return
                case "\\":
                    yield from self._escape(say)
                case char:
                    say(escaped(char))

    def _escape(self, say: Callable[[str], None]) -> ScanStep[None]:
        char = yield from self._source.char()
        n_digits = {"u": 4, "x": 2}.get(char, 0)
        digits: list[str] = []
        while len(digits) < n_digits and (yield from self._source.peek()) in tuple("0123456789abcdefABCDEF"):
            digits.append((yield from self._source.char()))
        if n_digits and len(digits) == n_digits:
            say("\\u" + "".join(digits).rjust(4, "0"))
        else:
            say(_ESCAPES.get(char, escaped("\\" + char)) + "".join(digits))

    def _bare(self) -> ScanStep[None]:
        """A number, a word, or whatever stands before the next comma or closing bracket."""
        found: list[str] = []
        while (char := (yield from self._source.peek())) and char not in _CLOSERS:
            found.append((yield from self._source.char()))
        if not found:
            raise Malformed
        text = "".join(found)
        # At the end nobody knows whether it was whole, so it stays as it is, and the JSON stays open.
        self._say(text if char == END else to_json(text.strip(), None))

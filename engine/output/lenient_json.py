"""Reads the JSON that models write, while it arrives.

JsonScanner accepts only the notation of JSON, and copies malformed values unchanged. LenientJsonReader also accepts
unquoted keys, other quotes, and Python's words for values, such as None."""

from __future__ import annotations

import json
from collections.abc import Callable

from engine.output.incremental_scanner import END, IncrementalScanner, Malformed, ScanStep
from engine.output.json_schema import escaped, quoted, to_json

_MAX_STRING = 256
MAX_DEPTH = 64
RAW_QUOTES = ('<|"|>', "<escape>")
"""Quotes between which nothing is escaped."""
_CLOSERS = frozenset(",]})")
_ESCAPES = {"n": "\\n", "t": "\\t", "r": "\\r", "b": "\\b", "f": "\\f", "\\": "\\\\", '"': '\\"', "'": "'", "/": "/"}


class LenientJsonReader:
    """Reads values in lenient notation and emits them as JSON.

    Raises Malformed before it consumes text that it cannot read."""

    def __init__(self, scanner: IncrementalScanner, emit: Callable[[str], None]) -> None:
        self._scanner = scanner
        self._emit = emit

    def value(self, depth: int = 0) -> ScanStep[None]:
        scanner = self._scanner
        yield from scanner.whitespace()
        match (yield from scanner.peek()):
            case "{" if depth < MAX_DEPTH:
                yield from scanner.next_char()
                yield from self.members("}", ":", depth + 1)
            case "[" if depth < MAX_DEPTH:
                yield from scanner.next_char()
                yield from self._items(depth + 1)
            case _:
                if quote := (yield from self._quote()):
                    self._emit('"')
                    yield from self._string(quote, self._emit, '"')
                else:
                    yield from self._bare_value()

    def members(self, close: str, colon: str, depth: int = 0, names: tuple[str, ...] = ()) -> ScanStep[None]:
        """Reads the members of an object and its closing bracket `close`. The opening bracket is already consumed.

        The n-th value gets the n-th of `names` as its key if it has no key."""
        self._emit("{")
        n = 0
        while (yield from self._has_next(close, n)):
            name = names[n] if n < len(names) else ""
            key = yield from self._key(colon, name)
            self._emit((", " if n else "") + quoted(key) + ": ")
            yield from self.value(depth)
            n += 1
        self._emit("}")

    def _items(self, depth: int) -> ScanStep[None]:
        self._emit("[")
        n = 0
        while (yield from self._has_next("]", n)):
            self._emit(", " if n else "")
            yield from self.value(depth)
            n += 1
        self._emit("]")

    def _has_next(self, close: str, n: int) -> ScanStep[bool]:
        """Whether another member follows after `n` members. Consumes the comma before it, or the closing bracket."""
        scanner = self._scanner
        yield from scanner.whitespace()
        if (yield from scanner.match(close)):
            return False
        if n and not (yield from scanner.match(",")):
            raise Malformed
        yield from scanner.whitespace()
        return not (n and (yield from scanner.match(close)))  # the comma was a trailing one: no member follows

    def _key(self, colon: str, name: str) -> ScanStep[str]:
        """Consumes a key and its colon, and returns the key. If a value without a key comes next, returns `name` and
        consumes nothing."""
        scanner = self._scanner
        start = scanner.mark()
        found: list[str] = []
        if quote := (yield from self._quote()):
            yield from self._string(quote, found.append, "")
        else:
            while (char := (yield from scanner.peek())).isalnum() or char in ("_", "-", ".", "$"):
                found.append((yield from scanner.next_char()))
                if len(found) > 256:
                    break
        yield from scanner.whitespace()
        if found and (yield from scanner.match(colon)):
            scanner.release(start)
            return "".join(found)
        scanner.rewind(start)
        if name:
            return name
        raise Malformed

    def _quote(self) -> ScanStep[str]:
        return (yield from self._scanner.match_any((*RAW_QUOTES, '"', "'")))

    def _string(self, quote: str, emit: Callable[[str], None], close: str) -> ScanStep[None]:
        """Reads a string after its opening quote and emits it with JSON's escapes.

        Escapes in keys are not decoded."""
        scanner = self._scanner
        if quote in RAW_QUOTES:
            if (yield from scanner.read_until((quote,), lambda text: emit(escaped(text)))):
                emit(close)
            return
        while True:
            match (yield from scanner.next_char()):
                case char if char == END:
                    return
                case char if char == quote:
                    emit(close)
                    return
                case "\\":
                    yield from self._escape(emit)
                case char:
                    emit(escaped(char))

    def _escape(self, emit: Callable[[str], None]) -> ScanStep[None]:
        char = yield from self._scanner.next_char()
        n_digits = {"u": 4, "x": 2}.get(char, 0)
        digits: list[str] = []
        while len(digits) < n_digits and (yield from self._scanner.peek()) in tuple("0123456789abcdefABCDEF"):
            digits.append((yield from self._scanner.next_char()))
        if n_digits and len(digits) == n_digits:
            emit("\\u" + "".join(digits).rjust(4, "0"))
        else:
            emit(_ESCAPES.get(char, escaped("\\" + char)) + "".join(digits))

    def _bare_value(self) -> ScanStep[None]:
        """Reads a number, a word, or any text before the next comma or closing bracket."""
        found: list[str] = []
        while (char := (yield from self._scanner.peek())) and char not in _CLOSERS:
            found.append((yield from self._scanner.next_char()))
        if not found:
            raise Malformed
        text = "".join(found)
        # At the end of the text the value may be incomplete, so it is not completed to valid JSON.
        self._emit(text if char == END else to_json(text.strip(), None))


class JsonScanner:
    """Reads JSON in its strict notation. Malformed values are copied unchanged."""

    def __init__(self, scanner: IncrementalScanner) -> None:
        self._scanner = scanner

    def string(self) -> ScanStep[str]:
        """Reads and decodes a short string, such as a name or a key. Raises Malformed if none comes next."""
        found: list[str] = []
        if (yield from self._scanner.peek()) != '"':
            raise Malformed
        while True:
            char = yield from self._scanner.next_char()
            found.append(char)
            if char == "\\":
                found.append((yield from self._scanner.next_char()))
            elif char == END or len(found) > _MAX_STRING:
                raise Malformed
            elif char == '"' and len(found) > 1:
                break
        try:
            return str(json.loads("".join(found), strict=False))
        except ValueError:
            raise Malformed from None

    def value(self, emit: Callable[[str], None], ender: str) -> ScanStep[None]:
        """Emits a JSON value unchanged, whether or not it is valid.

        The value ends with its brackets and quotes. If a closing bracket is missing, the value ends before the text
        `ender`, unless `ender` is inside a string."""
        scanner = self._scanner
        depth, quoted = 0, False
        while (char := (yield from scanner.peek())) != END:
            if not quoted:
                if ender and char == ender[0] and (yield from scanner.lookahead(ender)):
                    return
                if depth == 0 and (char in ",}]" or char.isspace()):
                    return
            emit((yield from scanner.next_char()))
            if quoted:
                if char == "\\":
                    emit((yield from scanner.next_char()))
                    continue
                quoted = char != '"'
            elif char == '"':
                quoted = True
            else:
                depth += (char in "{[") - (char in "}]")
            if depth == 0 and not quoted and char in '"}]':
                return


def unwrapped(text: str) -> str:
    """Decodes the arguments of a call that were written as a JSON string. Null or an empty text becomes {}."""
    if text in ("", "null"):
        return "{}"
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, str) else text

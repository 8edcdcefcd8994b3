"""JSON as models write it, right or wrong, read while it streams."""

from __future__ import annotations

import json
from collections.abc import Callable

from engine.output.incremental_scanner import END, IncrementalScanner, Malformed, ScanStep

_MAX_STRING = 256


class JsonScanner:
    """Finds where values end. Raises Malformed where there is none."""

    def __init__(self, source: IncrementalScanner) -> None:
        self._source = source

    def string(self) -> ScanStep[str]:
        """A string that is not long: a name, a key."""
        found: list[str] = []
        if (yield from self._source.peek()) != '"':
            raise Malformed
        while True:
            char = yield from self._source.char()
            found.append(char)
            if char == "\\":
                found.append((yield from self._source.char()))
            elif char == END or len(found) > _MAX_STRING:
                raise Malformed
            elif char == '"' and len(found) > 1:
                break
        try:
            return str(json.loads("".join(found), strict=False))
        except ValueError:
            raise Malformed from None

    def value(self, say: Callable[[str], None], ender: str) -> ScanStep[None]:
        """Says a value as it stands, right or wrong inside: brackets and quotes tell where it ends; or `ender` does,
        outside of strings, where a bracket was forgotten."""
        source = self._source
        depth, quoted = 0, False
        while (char := (yield from source.peek())) != END:
            if not quoted:
                if ender and char == ender[0] and (yield from source.ahead(ender)):
                    return
                if depth == 0 and (char in ",}]" or char.isspace()):
                    return
            say((yield from source.char()))
            if quoted:
                if char == "\\":
                    say((yield from source.char()))
                    continue
                quoted = char != '"'
            elif char == '"':
                quoted = True
            else:
                depth += (char in "{[") - (char in "}]")
            if depth == 0 and not quoted and char in '"}]':
                return


def unwrapped(text: str) -> str:
    """Arguments that were written as a string of JSON, or as null, as the JSON that was meant."""
    if text in ("", "null"):
        return "{}"
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, str) else text

"""Parses GBNF, llama.cpp's grammar format, into rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_DEPTH = 64
MAX_RULES = 1000
MAX_REPETITION = 2000


class GbnfError(ValueError):
    """The text is not a GBNF grammar, or exceeds a limit of this module. The message can be shown to users."""


def parse(source: str) -> dict[str, Node]:
    """Parses a grammar and returns its rules by name.

    The rules include "root" and every rule that is referenced. Raises GbnfError."""
    return _Parser(_tokens(source)).rules()


@dataclass(frozen=True, slots=True)
class Text:
    """A literal string, possibly empty."""

    chars: str


@dataclass(frozen=True, slots=True)
class CharacterClass:
    """A character class, which matches one character. It is written as a regular expression."""

    regex: str


@dataclass(frozen=True, slots=True)
class Ref:
    name: str


@dataclass(frozen=True, slots=True)
class Sequence:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    part: Node
    bounds: str
    """How often `part` is repeated, in the notation of regular expressions and Lark: `*`, `+`, `?`, `{2}`, `{2,}`,
    `{2,5}`."""


Node = Text | CharacterClass | Ref | Sequence | Choice | Repeat

_TOKEN = re.compile(
    r"""
      (?P<space>   [\s]+ | \#[^\n]* )
    | (?P<define>  (?P<name> [A-Za-z0-9_-]+ ) \s* ::= )
    | (?P<ref>     [A-Za-z0-9_-]+ )
    | (?P<text>    " (?: [^"\\] | \\. )* " )
    | (?P<set>     \[ (?: [^\]\\] | \\. )* \] )
    | (?P<repeat>  [*+?] | \{ \s* (?P<low>\d+) \s* (?P<comma>,)? \s* (?P<high>\d+)? \s* \} )
    | (?P<mark>    [()|.] )
    """,
    re.VERBOSE | re.DOTALL,
)


def _tokens(source: str) -> list[re.Match[str]]:
    tokens = []
    at = 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            line = source.count("\n", 0, at) + 1
            raise GbnfError(f"line {line} of the grammar is not understood at {source[at : at + 20]!r}")
        at = match.end()
        if match.lastgroup != "space":
            tokens.append(match)
    return tokens


class _Parser:
    """A recursive descent parser. It recurses as deep as the parentheses are nested."""

    def __init__(self, tokens: list[re.Match[str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def rules(self) -> dict[str, Node]:
        rules: dict[str, Node] = {}
        while token := self._take("define"):
            name = token["name"]
            if name in rules:
                raise GbnfError(f"rule {name!r} is defined twice")
            if len(rules) == MAX_RULES:
                raise GbnfError(f"the grammar has more than {MAX_RULES} rules")
            rules[name] = self._choice(0)
        if self._at < len(self._tokens):
            raise GbnfError(f"{self._tokens[self._at][0][:20]!r} is out of place in the grammar")
        if "root" not in rules:
            raise GbnfError("the grammar has no rule named root")
        for name in (each for node in rules.values() for each in refs_of(node)):
            if name not in rules:
                raise GbnfError(f"rule {name!r} is not defined")
        return rules

    def _take(self, group: str, text: str | None = None) -> re.Match[str] | None:
        if self._at == len(self._tokens):
            return None
        token = self._tokens[self._at]
        if token[group] is None or (text is not None and token[group] != text):
            return None
        self._at += 1
        return token

    def _choice(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise GbnfError(f"the grammar is nested more than {MAX_DEPTH} deep")
        parts = [self._sequence(depth)]
        while self._take("mark", "|"):
            parts.append(self._sequence(depth))
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def _sequence(self, depth: int) -> Node:
        parts = []
        while (part := self._item(depth)) is not None:
            token = self._take("repeat")
            parts.append(Repeat(part, _bounds(token)) if token else part)
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _item(self, depth: int) -> Node | None:
        if token := self._take("text"):
            return Text("".join(chr(code) for _, code in _chars(token[0][1:-1])))
        if token := self._take("set"):
            return CharacterClass(_class(token[0][1:-1]))
        if token := self._take("ref"):
            return Ref(token[0])
        if self._take("mark", "."):
            return CharacterClass("(?s:.)")
        if self._take("mark", "("):
            part = self._choice(depth + 1)
            if not self._take("mark", ")"):
                raise GbnfError("a parenthesis is not closed")
            return part
        return None


def _bounds(token: re.Match[str]) -> str:
    if token["low"] is None:
        return token[0]
    low, high = int(token["low"]), int(token["high"]) if token["high"] else None
    if max(low, high or 0) > MAX_REPETITION:
        raise GbnfError(f"a repetition of more than {MAX_REPETITION} times")
    if high is not None and high < low:
        raise GbnfError(f"the repetition {token[0]} ends before it begins")
    return f"{{{low}{token['comma'] or ''}{'' if high is None else high}}}"


_CHAR = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))|[^\\]", re.DOTALL)
_NAMED = {"t": "\t", "r": "\r", "n": "\n", "\\": "\\", '"': '"', "[": "[", "]": "]"}


def _chars(body: str) -> Iterator[tuple[str, int]]:
    """The characters in the body of a string or character class. Each is returned as it is written and as its code
    point."""
    for match in _CHAR.finditer(body):
        written, digits, named = match[0], match[1] or match[2] or match[3], match[4]
        if named and named not in _NAMED:
            raise GbnfError(f"the escape {written!r} is unknown")
        code = int(digits, 16) if digits else ord(_NAMED[named] if named else written)
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise GbnfError(f"{written!r} is no character")
        yield written, code


def _class(body: str) -> str:
    """Converts a GBNF character class to one of a regular expression, with numeric code points."""
    negated = body.startswith("^")
    chars = list(_chars(body[negated:]))
    ranges = []
    while chars:
        low = high = chars.pop(0)[1]
        # A "-" between two characters is a range; an escaped, first or last one is a literal.
        if len(chars) > 1 and chars[0][0] == "-":
            high = chars[1][1]
            del chars[:2]
        if high < low:
            raise GbnfError(f"a range in [{body[:20]}] ends before it begins")
        ranges.append(rf"\x{{{low:x}}}-\x{{{high:x}}}")
    if not ranges:
        raise GbnfError("a character class is empty")
    return f"[{'^' if negated else ''}{''.join(ranges)}]"


def parts_of(node: Node) -> tuple[Node, ...]:
    match node:
        case Sequence(parts) | Choice(parts):
            return parts
        case Repeat(part):
            return (part,)
    return ()


def refs_of(node: Node) -> set[str]:
    found = set()
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Ref):
            found.add(node.name)
        waiting.extend(parts_of(node))
    return found

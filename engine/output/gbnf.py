"""GBNF, llama.cpp's grammar format, → what llguidance compiles: one regular expression, or a Lark grammar.

GBNF matches character by character. llguidance's lexer takes the longest lexeme, so that a rule such as
`[a-z]+ "b"` would never end. Both forms below avoid that: a grammar without recursion becomes one regular
expression, and any other a grammar whose lexemes are single characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

MAX_DEPTH = 64
MAX_RULES = 1000
MAX_REPETITION = 2000
MAX_REGEX_CHARS = 50_000
"""A grammar whose rules unfold to more than this is compiled as a grammar, though it has no recursion."""

MAX_REGEX_DEPTH = 80
"""Likewise for rules within rules, since llguidance takes 250 parentheses within each other."""


class GbnfError(ValueError):
    """The text is no GBNF grammar, or is larger than the caps above. Its text is fit to be shown."""


def translate(source: str) -> tuple[Literal["regex", "lark"], str]:
    """The same language for llguidance. Any thread; bounded by the caps. Raises GbnfError."""
    rules = _Parser(_tokens(source)).rules()
    order = _from_the_leaves(rules)
    if order is not None and (regex := _unfold(rules, order)) is not None:
        return "regex", regex
    names = {name: f"r{i}" for i, name in enumerate(rules)}
    lines = [f"{names[name]}: {_lark(node, names)}" for name, node in rules.items()]
    return "lark", "\n".join([f"start: {names['root']}", *lines])


@dataclass(frozen=True, slots=True)
class _Text:
    """Characters one after the other, perhaps none."""

    chars: str


@dataclass(frozen=True, slots=True)
class _OneOf:
    """One character of a class, as a regular expression."""

    regex: str


@dataclass(frozen=True, slots=True)
class _Ref:
    name: str


@dataclass(frozen=True, slots=True)
class _Sequence:
    parts: tuple[_Node, ...]


@dataclass(frozen=True, slots=True)
class _Choice:
    parts: tuple[_Node, ...]


@dataclass(frozen=True, slots=True)
class _Repeat:
    part: _Node
    bounds: str
    """As regular expressions and Lark both write it: "*", "+", "?", "{2}", "{2,}", "{2,5}"."""


_Node = _Text | _OneOf | _Ref | _Sequence | _Choice | _Repeat

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
    """Recursive descent, as deep as parentheses are."""

    def __init__(self, tokens: list[re.Match[str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def rules(self) -> dict[str, _Node]:
        rules: dict[str, _Node] = {}
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
        for name in (each for node in rules.values() for each in _refs(node)):
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

    def _choice(self, depth: int) -> _Node:
        if depth > MAX_DEPTH:
            raise GbnfError(f"the grammar is nested more than {MAX_DEPTH} deep")
        parts = [self._sequence(depth)]
        while self._take("mark", "|"):
            parts.append(self._sequence(depth))
        return parts[0] if len(parts) == 1 else _Choice(tuple(parts))

    def _sequence(self, depth: int) -> _Node:
        parts = []
        while (part := self._item(depth)) is not None:
            token = self._take("repeat")
            parts.append(_Repeat(part, _bounds(token)) if token else part)
        return parts[0] if len(parts) == 1 else _Sequence(tuple(parts))

    def _item(self, depth: int) -> _Node | None:
        if token := self._take("text"):
            return _Text("".join(chr(code) for _, code in _chars(token[0][1:-1])))
        if token := self._take("set"):
            return _OneOf(_class(token[0][1:-1]))
        if token := self._take("ref"):
            return _Ref(token[0])
        if self._take("mark", "."):
            return _OneOf("(?s:.)")
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
    """Each character as it is written, and its code point."""
    for match in _CHAR.finditer(body):
        written, digits, named = match[0], match[1] or match[2] or match[3], match[4]
        if named and named not in _NAMED:
            raise GbnfError(f"the escape {written!r} is unknown")
        code = int(digits, 16) if digits else ord(_NAMED[named] if named else written)
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise GbnfError(f"{written!r} is no character")
        yield written, code


def _class(body: str) -> str:
    """A GBNF class → one of a regular expression, its characters written as numbers."""
    negated = body.startswith("^")
    chars = list(_chars(body[negated:]))
    ranges = []
    while chars:
        low = high = chars.pop(0)[1]
        # A "-" between two characters makes a range; one that is escaped, first or last is a character.
        if len(chars) > 1 and chars[0][0] == "-":
            high = chars[1][1]
            del chars[:2]
        if high < low:
            raise GbnfError(f"a range in [{body[:20]}] ends before it begins")
        ranges.append(rf"\x{{{low:x}}}-\x{{{high:x}}}")
    if not ranges:
        raise GbnfError("a character class is empty")
    return f"[{'^' if negated else ''}{''.join(ranges)}]"


def _parts(node: _Node) -> tuple[_Node, ...]:
    match node:
        case _Sequence(parts) | _Choice(parts):
            return parts
        case _Repeat(part):
            return (part,)
    return ()


def _refs(node: _Node) -> set[str]:
    found = set()
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, _Ref):
            found.add(node.name)
        waiting.extend(_parts(node))
    return found


def _from_the_leaves(rules: dict[str, _Node]) -> list[str] | None:
    """The rules that root needs, each after those it needs itself; None where rules are recursive."""
    done: dict[str, None] = {}
    open_names = {"root": iter(_refs(rules["root"]))}
    while open_names:
        name, refs = next(reversed(open_names.items()))
        ref = next((ref for ref in refs if ref not in done), None)
        if ref is None:
            del open_names[name]
            done[name] = None
        elif ref in open_names:
            return None
        else:
            open_names[ref] = iter(_refs(rules[ref]))
    return list(done)


def _unfold(rules: dict[str, _Node], order: list[str]) -> str | None:
    """All of root as one regular expression; None where that is too large or too deep."""
    regexes: dict[str, str] = {}
    depths: dict[str, int] = {}
    for name in order:
        regexes[name] = _regex(rules[name], regexes)
        depths[name] = _depth(rules[name], depths)
        if len(regexes[name]) > MAX_REGEX_CHARS or depths[name] > MAX_REGEX_DEPTH:
            return None
    return regexes["root"]


def _regex(node: _Node, regexes: dict[str, str]) -> str:
    match node:
        case _Text(chars):
            return "".join(rf"\x{{{ord(char):x}}}" for char in chars)
        case _OneOf(regex):
            return regex
        case _Ref(name):
            return f"(?:{regexes[name]})"
        case _Sequence(parts):
            return "".join(f"(?:{_regex(part, regexes)})" for part in parts)
        case _Choice(parts):
            return "|".join(_regex(part, regexes) for part in parts)
        case _Repeat(part, bounds):
            return f"(?:{_regex(part, regexes)}){bounds}"


def _depth(node: _Node, depths: dict[str, int]) -> int:
    if isinstance(node, _Ref):
        return depths[node.name] + 1
    return 1 + max((_depth(part, depths) for part in _parts(node)), default=0)


def _lark(node: _Node, names: dict[str, str]) -> str:
    match node:
        case _Text(chars):
            return " ".join(rf"/\x{{{ord(char):x}}}/" for char in chars) or '""'
        case _OneOf(regex):
            return f"/{regex}/"
        case _Ref(name):
            return names[name]
        case _Sequence(parts):
            return (
                " ".join(
                    f"({_lark(part, names)})" if isinstance(part, _Choice) else _lark(part, names) for part in parts
                )
                or '""'
            )
        case _Choice(parts):
            return " | ".join(_lark(part, names) for part in parts)
        case _Repeat(part, bounds):
            return f"({_lark(part, names)}){bounds}"

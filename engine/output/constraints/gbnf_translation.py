"""Translates a GBNF grammar to llguidance: to one regular expression, or to a Lark grammar.

GBNF matches character by character. llguidance's lexer takes the longest lexeme, so in a rule such as `[a-z]+ "b"`, the
first part would also take every "b". Both translations avoid that. A grammar without recursion becomes one regular
expression. Any other grammar becomes a Lark grammar whose lexemes are single characters.
"""

from __future__ import annotations

from typing import Literal

from engine.output.constraints.gbnf_parser import (
    CharacterClass,
    Choice,
    Node,
    Ref,
    Repeat,
    Sequence,
    Text,
    parse,
    parts_of,
    refs_of,
)

MAX_REGEX_CHARS = 50_000
"""If the regular expression would be longer than this, the grammar is translated to Lark."""

MAX_REGEX_DEPTH = 80
"""If the rules are nested deeper than this, the grammar is translated to Lark. llguidance accepts 250 nested
parentheses."""


def translate(source: str) -> tuple[Literal["regex", "lark"], str]:
    """Returns an equivalent grammar for llguidance, and the kind of that grammar. Raises GbnfError. May be called on
    any thread. The parser's limits bound the computing time."""
    rules = parse(source)
    order = _topological_order(rules)
    if order is not None and (regex := _unfold(rules, order)) is not None:
        return "regex", regex
    names = {name: f"r{i}" for i, name in enumerate(rules)}
    lines = [f"{names[name]}: {_lark(node, names)}" for name, node in rules.items()]
    return "lark", "\n".join([f"start: {names['root']}", *lines])


def _topological_order(rules: dict[str, Node]) -> list[str] | None:
    """The rules that "root" needs, each after the rules that it refers to; None if the grammar is recursive."""
    done: dict[str, None] = {}
    open_names = {"root": iter(refs_of(rules["root"]))}
    while open_names:
        name, refs = next(reversed(open_names.items()))
        ref = next((ref for ref in refs if ref not in done), None)
        if ref is None:
            del open_names[name]
            done[name] = None
        elif ref in open_names:
            return None
        else:
            open_names[ref] = iter(refs_of(rules[ref]))
    return list(done)


def _unfold(rules: dict[str, Node], order: list[str]) -> str | None:
    """The rule "root" as one regular expression; None if the expression would be too large or nested too deeply."""
    regexes: dict[str, str] = {}
    depths: dict[str, int] = {}
    for name in order:
        regexes[name] = _regex(rules[name], regexes)
        depths[name] = _depth(rules[name], depths)
        if len(regexes[name]) > MAX_REGEX_CHARS or depths[name] > MAX_REGEX_DEPTH:
            return None
    return regexes["root"]


def _regex(node: Node, regexes: dict[str, str]) -> str:
    match node:
        case Text(chars):
            return "".join(rf"\x{{{ord(char):x}}}" for char in chars)
        case CharacterClass(regex):
            return regex
        case Ref(name):
            return f"(?:{regexes[name]})"
        case Sequence(parts):
            return "".join(f"(?:{_regex(part, regexes)})" for part in parts)
        case Choice(parts):
            return "|".join(_regex(part, regexes) for part in parts)
        case Repeat(part, bounds):
            return f"(?:{_regex(part, regexes)}){bounds}"


def _depth(node: Node, depths: dict[str, int]) -> int:
    if isinstance(node, Ref):
        return depths[node.name] + 1
    return 1 + max((_depth(part, depths) for part in parts_of(node)), default=0)


def _lark(node: Node, names: dict[str, str]) -> str:
    match node:
        case Text(chars):
            return " ".join(rf"/\x{{{ord(char):x}}}/" for char in chars) or '""'
        case CharacterClass(regex):
            return f"/{regex}/"
        case Ref(name):
            return names[name]
        case Sequence(parts):
            return (
                " ".join(
                    f"({_lark(part, names)})" if isinstance(part, Choice) else _lark(part, names) for part in parts
                )
                or '""'
            )
        case Choice(parts):
            return " | ".join(_lark(part, names) for part in parts)
        case Repeat(part, bounds):
            return f"({_lark(part, names)}){bounds}"

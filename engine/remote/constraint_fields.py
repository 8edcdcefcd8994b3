"""Translates constraints to the fields of a kind of server."""

from __future__ import annotations

import json
import re

from engine.capability_check import CONSTRAINTS
from engine.errors import ConstraintError, Unsupported
from engine.remote.connection import ServerKind
from engine.requests import Constraint

Body = dict[str, object]


def constraint_fields(constraint: Constraint | None, kind: ServerKind) -> Body:
    """The fields that constrain an answer. Raises Unsupported, ConstraintError."""
    if constraint is None:
        return {}
    match constraint.kind:
        case "json_object" if kind == "lmstudio":  # it knows only schemas
            return _schema_format({"type": "object"}, constraint.strict)
        case "json_object":
            return {"response_format": {"type": "json_object"}}
        case "json_schema":
            return _schema_format(_json(constraint.source), constraint.strict)
        case "choice":
            return _choice_fields(_choices(constraint.source), kind)
        case "regex" if kind == "sglang":
            return {"regex": constraint.source}
        case "regex" if kind in ("vllm", "inglenook"):
            return {"structured_outputs": {"regex": constraint.source}}
        case "gbnf" if kind == "sglang":
            return {"ebnf": constraint.source}
        case "gbnf" if kind == "llama.cpp":
            return {"grammar": constraint.source}
        case "gbnf" | "lark" if kind in ("vllm", "inglenook"):
            return {"structured_outputs": {"grammar": constraint.source}}
    raise Unsupported(CONSTRAINTS[constraint.kind])


def _schema_format(schema: object, strict: bool) -> Body:
    named = {"name": "answer", "strict": strict, "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


def _choice_fields(choices: list[str], kind: ServerKind) -> Body:
    match kind:
        case "vllm" | "inglenook":
            return {"structured_outputs": {"choice": choices}}
        case "sglang":
            return {"regex": "|".join(f"({re.escape(choice)})" for choice in choices)}
        case "llama.cpp":
            return {"grammar": "root ::= " + " | ".join(_gbnf_literal(choice) for choice in choices)}
    raise Unsupported(CONSTRAINTS["choice"])


def _gbnf_literal(text: str) -> str:
    return f'"{"".join(_gbnf_character(c) for c in text)}"'


def _gbnf_character(c: str) -> str:
    if c in '"\\':
        return f"\\{c}"
    return c if c.isprintable() else f"\\U{ord(c):08x}"


def _choices(source: str) -> list[str]:
    found = _json(source)
    if not isinstance(found, list) or not found or not all(isinstance(choice, str) for choice in found):
        raise ConstraintError("the choices are not a list of texts")
    return found


def _json(source: str) -> object:
    try:
        return json.loads(source)
    except (ValueError, RecursionError):
        raise ConstraintError("it is not JSON") from None

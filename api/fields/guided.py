"""vLLM's names for what an answer's text must match."""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import Field

from api.body import Body
from api.errors import BadRequest, UnsupportedParameter
from engine.requests import Constraint

MAX_CHOICES = 5000

Choices = Annotated[list[str], Field(min_length=1, max_length=MAX_CHOICES)]
JsonSchema = dict[str, object] | str
"""vLLM takes a schema as an object, or as its JSON text."""


class StructuredOutputs(Body):
    """vLLM's newer shape. The options about white space have no effect here: it is limited anyway."""

    json_: Annotated[JsonSchema | None, Field(alias="json")] = None
    regex: str | None = None
    choice: Choices | None = None
    grammar: str | None = None
    json_object: bool | None = None
    structural_tag: object = None


class GuidedFields(Body):
    guided_json: JsonSchema | None = None
    guided_regex: str | None = None
    guided_choice: Choices | None = None
    guided_grammar: str | None = None
    structured_outputs: StructuredOutputs | None = None


def guided_constraints(fields: GuidedFields) -> list[tuple[str, Constraint]]:
    """Each constraint with the field that asks for it. Raises BadRequest, UnsupportedParameter."""
    nested = fields.structured_outputs or StructuredOutputs()
    if nested.structural_tag is not None:
        raise UnsupportedParameter("structured_outputs.structural_tag")
    found: list[tuple[str, Constraint]] = []
    for name, value in (("guided_json", fields.guided_json), ("structured_outputs.json", nested.json_)):
        if value is not None:
            found.append((name, Constraint("json_schema", _schema_text(value, name))))
    for name, text in (("guided_regex", fields.guided_regex), ("structured_outputs.regex", nested.regex)):
        if text is not None:
            found.append((name, Constraint("regex", text)))
    for name, choices in (("guided_choice", fields.guided_choice), ("structured_outputs.choice", nested.choice)):
        if choices is not None:
            found.append((name, Constraint("choice", json.dumps(choices, ensure_ascii=False))))
    for name, text in (("guided_grammar", fields.guided_grammar), ("structured_outputs.grammar", nested.grammar)):
        if text is not None:
            # vLLM takes EBNF as in llama.cpp, and Lark, which writes a rule with a single colon.
            found.append((name, Constraint("gbnf" if "::=" in text else "lark", text)))
    if nested.json_object:
        found.append(("structured_outputs.json_object", Constraint("json_object")))
    return found


def _schema_text(given: JsonSchema, name: str) -> str:
    if isinstance(given, dict):
        return json.dumps(given, ensure_ascii=False)
    try:
        schema = json.loads(given)
    except (ValueError, RecursionError):
        schema = None
    if not isinstance(schema, dict):
        raise BadRequest(f"'{name}' must be a JSON schema.", name)
    return given

"""Constraints on an answer's text: `response_format`, and the constraint fields of llama.cpp's server and vLLM."""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import Field

from api.body import Body
from api.errors import BadRequest, UnsupportedParameter
from engine.requests import Constraint

MAX_CHOICES = 5000

Schema = dict[str, object]
Choices = Annotated[list[str], Field(min_length=1, max_length=MAX_CHOICES)]
SchemaOrText = Schema | str
"""A JSON schema as vLLM accepts it: an object, or its JSON text."""


class JsonSchemaFormat(Body):
    schema_: Annotated[Schema | None, Field(alias="schema")] = None
    strict: bool | None = None


class ResponseFormat(Body):
    """OpenAI's `response_format`. A `schema` beside the type `json_object` is an extension of llama.cpp's server."""

    type: str
    json_schema: JsonSchemaFormat | None = None
    schema_: Annotated[Schema | None, Field(alias="schema")] = None


class StructuredOutputs(Body):
    """vLLM's `structured_outputs`. Its whitespace options are ignored, because whitespace is always limited."""

    json_: Annotated[SchemaOrText | None, Field(alias="json")] = None
    regex: str | None = None
    choice: Choices | None = None
    grammar: str | None = None
    json_object: bool | None = None
    structural_tag: object = None


class ConstraintFields(Body):
    """The constraint fields of llama.cpp's server (`grammar`, `json_schema`), then those of vLLM."""

    grammar: str | None = None
    json_schema: Schema | None = None
    guided_json: SchemaOrText | None = None
    guided_regex: str | None = None
    guided_choice: Choices | None = None
    guided_grammar: str | None = None
    structured_outputs: StructuredOutputs | None = None


def constraint(fields: ConstraintFields, response_format: ResponseFormat | None = None) -> Constraint | None:
    """Returns the request's constraint, or None. Raises UnsupportedParameter, BadRequest. Fields that together set more
    than one constraint raise BadRequest."""
    found = _vllm_constraints(fields)
    if fields.grammar:
        found.append(("grammar", Constraint("gbnf", fields.grammar)))
    if fields.json_schema is not None:
        found.append(("json_schema", schema_constraint(fields.json_schema, strict=False)))
    if (format_constraint := _format_constraint(response_format)) is not None:
        found.append(("response_format", format_constraint))
    if len(found) > 1:
        names = " and ".join(f"'{name}'" for name, _ in found)
        raise BadRequest(f"{names} all constrain the answer; send only one of them.", found[-1][0])
    return found[0][1] if found else None


def schema_constraint(schema: Schema, *, strict: bool) -> Constraint:
    """Returns a constraint to a JSON schema.

    With `strict`, a keyword that cannot be enforced is an error. Without `strict`, a response header lists the keywords
    that cannot be enforced."""
    return Constraint("json_schema", json.dumps(schema, ensure_ascii=False), strict)


def _format_constraint(response_format: ResponseFormat | None) -> Constraint | None:
    match response_format:
        case None | ResponseFormat(type="text"):
            return None
        case ResponseFormat(type="json_object", schema_=None):
            return Constraint("json_object")
        case ResponseFormat(type="json_object", schema_=dict() as schema):
            return schema_constraint(schema, strict=False)
        case ResponseFormat(type="json_schema", json_schema=JsonSchemaFormat(schema_=dict() as schema) as given):
            return schema_constraint(schema, strict=bool(given.strict))
        case ResponseFormat(type="json_schema", json_schema=JsonSchemaFormat()):
            path = "response_format.json_schema"
            raise BadRequest(f"'{path}' has no schema.", f"{path}.schema")
        case ResponseFormat(type="json_schema"):
            raise BadRequest("'response_format' has no json_schema.", "response_format.json_schema")
    raise BadRequest("'response_format.type' must be text, json_object or json_schema.", "response_format.type")


def _vllm_constraints(fields: ConstraintFields) -> list[tuple[str, Constraint]]:
    """Returns the constraints that vLLM's fields set, each with the name of its field."""
    nested = fields.structured_outputs or StructuredOutputs()
    if nested.structural_tag is not None:
        raise UnsupportedParameter("structured_outputs.structural_tag")
    found: list[tuple[str, Constraint]] = []
    for name, schema in (("guided_json", fields.guided_json), ("structured_outputs.json", nested.json_)):
        if schema is not None:
            found.append((name, Constraint("json_schema", _schema_text(schema, name))))
    for name, text in (("guided_regex", fields.guided_regex), ("structured_outputs.regex", nested.regex)):
        if text is not None:
            found.append((name, Constraint("regex", text)))
    for name, choices in (("guided_choice", fields.guided_choice), ("structured_outputs.choice", nested.choice)):
        if choices is not None:
            found.append((name, Constraint("choice", json.dumps(choices, ensure_ascii=False))))
    for name, text in (("guided_grammar", fields.guided_grammar), ("structured_outputs.grammar", nested.grammar)):
        if text is not None:
            # vLLM accepts llama.cpp's EBNF (`::=` after a rule's name) and Lark's (a single colon).
            found.append((name, Constraint("gbnf" if "::=" in text else "lark", text)))
    if nested.json_object:
        found.append(("structured_outputs.json_object", Constraint("json_object")))
    return found


def _schema_text(given: SchemaOrText, name: str) -> str:
    if isinstance(given, dict):
        return json.dumps(given, ensure_ascii=False)
    try:
        schema = json.loads(given)
    except (ValueError, RecursionError):
        schema = None
    if not isinstance(schema, dict):
        raise BadRequest(f"'{name}' must be a JSON schema.", name)
    return given

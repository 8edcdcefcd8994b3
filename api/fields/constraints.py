"""What an answer's text must match, from the words of OpenAI, llama.cpp and vLLM to the engine's."""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import Field

from api.body import Body
from api.errors import BadRequest
from api.fields.guided import GuidedFields, guided_constraints
from engine.requests import Constraint

Schema = dict[str, object]


class JsonSchemaFormat(Body):
    schema_: Annotated[Schema | None, Field(alias="schema")] = None
    strict: bool | None = None


class ResponseFormat(Body):
    """`schema` beside json_object is llama.cpp's."""

    type: str
    json_schema: JsonSchemaFormat | None = None
    schema_: Annotated[Schema | None, Field(alias="schema")] = None


class FormatFields(GuidedFields):
    """llama.cpp's fields for the same, and vLLM's."""

    grammar: str | None = None
    json_schema: Schema | None = None


def constraint(fields: FormatFields, asked: ResponseFormat | None = None) -> Constraint | None:
    """Raises BadRequest, also where more than one thing is asked for; UnsupportedParameter."""
    found = guided_constraints(fields)
    if fields.grammar:
        found.append(("grammar", Constraint("gbnf", fields.grammar)))
    if fields.json_schema is not None:
        found.append(("json_schema", schema(fields.json_schema, strict=False)))
    if (format := _format(asked)) is not None:
        found.append(("response_format", format))
    if len(found) > 1:
        names = " and ".join(f"'{name}'" for name, _ in found)
        raise BadRequest(f"{names} each say what the answer must match; send one.", found[-1][0])
    return found[0][1] if found else None


def schema(given: Schema, *, strict: bool) -> Constraint:
    """`strict`: keywords that cannot be enforced are an error; otherwise they are left out, and named in a header."""
    return Constraint("json_schema", json.dumps(given, ensure_ascii=False), strict)


def _format(asked: ResponseFormat | None) -> Constraint | None:
    match asked:
        case None | ResponseFormat(type="text"):
            return None
        case ResponseFormat(type="json_object"):
            return Constraint("json_object") if asked.schema_ is None else schema(asked.schema_, strict=False)
        case ResponseFormat(type="json_schema", json_schema=JsonSchemaFormat() as described):
            if described.schema_ is None:
                path = "response_format.json_schema"
                raise BadRequest(f"'{path}' has no schema.", f"{path}.schema")
            return schema(described.schema_, strict=bool(described.strict))
        case ResponseFormat(type="json_schema"):
            raise BadRequest("'response_format' has no json_schema.", "response_format.json_schema")
    raise BadRequest("'response_format.type' must be text, json_object or json_schema.", "response_format.type")

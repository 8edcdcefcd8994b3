"""What an answer's text must match, from OpenAI's and llama.cpp's words to the engine's."""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import Field

from api.body import Body
from api.errors import BadRequest
from engine.requests import Constraint

Schema = dict[str, object]


class JsonSchemaFormat(Body):
    schema_: Annotated[Schema | None, Field(alias="schema")] = None


class ResponseFormat(Body):
    """`schema` beside json_object is llama.cpp's."""

    type: str
    json_schema: JsonSchemaFormat | None = None
    schema_: Annotated[Schema | None, Field(alias="schema")] = None


def constraint(asked: ResponseFormat | None, grammar: str | None, json_schema: Schema | None) -> Constraint | None:
    """Raises BadRequest, also where more than one thing is asked for."""
    found = [each for each in (_format(asked), _grammar(grammar), schema(json_schema)) if each is not None]
    if len(found) > 1:
        raise BadRequest("Send one of 'response_format', 'grammar' and 'json_schema'.", "response_format")
    return found[0] if found else None


def schema(given: Schema | None) -> Constraint | None:
    return None if given is None else Constraint("json_schema", json.dumps(given, ensure_ascii=False))


def _grammar(grammar: str | None) -> Constraint | None:
    return Constraint("gbnf", grammar) if grammar else None


def _format(asked: ResponseFormat | None) -> Constraint | None:
    if asked is None or asked.type == "text":
        return None
    match asked:
        case ResponseFormat(type="json_object"):
            return schema(asked.schema_) or Constraint("json_object")
        case ResponseFormat(type="json_schema", json_schema=JsonSchemaFormat() as described):
            found = schema(described.schema_)
            if found is not None:
                return found
            raise BadRequest("'response_format.json_schema' has no schema.", "response_format.json_schema.schema")
        case ResponseFormat(type="json_schema"):
            raise BadRequest("'response_format' has no json_schema.", "response_format.json_schema")
    raise BadRequest("'response_format.type' must be text, json_object or json_schema.", "response_format.type")

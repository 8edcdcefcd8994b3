"""What every dialect's bodies have in common, and how they are read."""

from __future__ import annotations

import codecs
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
    ValidationError,
)
from pydantic_core import CoreSchema, core_schema

from api.elements import MAX_ELEMENTS, has_more_elements
from api.errors import BadRequest, TooManyValues

INT32_MAX = 2**31 - 1
MAX_EXACT = 2**53
"""From here on, a float is not every integer."""

MAX_MESSAGES = 16384
"""Of one conversation. Also the most items of a response's input."""


def _as_list(value: object) -> object:
    """`stop` comes as nothing, one string, or a list."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else value


def whole(value: object) -> object:
    """A number without a fractional part as an int, anything else as it is.

    JSON has one kind of number, and 40.0 is an integer in JSON Schema (2020-12, 4.2.3): languages that have one kind
    of number as well write it that way."""
    if isinstance(value, float) and value.is_integer() and abs(value) < MAX_EXACT:
        return int(value)
    return value


def _none_if_endless(value: object) -> object:
    """llama.cpp and Ollama write -1 (-2: until the context is full) for an answer without a limit."""
    value = whole(value)
    return None if type(value) is int and value in (-1, -2) else value


def _adjust(part: Any) -> None:
    """Changes a core schema in place: lists stop at their first wrong entry, and integers may be written as 40.0."""
    if isinstance(part, dict):
        if part.get("type") == "list":
            part["fail_fast"] = True
        if part.get("type") == "function-before" and part["function"]["function"] is whole:
            return  # part of a body that is used within another one
        if part.get("type") == "int":
            integer: Any = dict(part)
            part.clear()
            part.update(core_schema.no_info_before_validator_function(whole, integer))
            return
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            _adjust(each)


class Body(BaseModel):
    """A null means absent; fields that are unknown are let through. Numbers have bounds everywhere: they end up in
    native code."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[BaseModel], handler: GetCoreSchemaHandler) -> CoreSchema:
        """Lists stop at their first wrong entry: an error for each of a million takes gigabytes."""
        schema = handler(source)
        _adjust(schema)
        return schema


Count = Annotated[int, Field(ge=1, le=INT32_MAX)]
CountOrEndless = Annotated[Count | None, BeforeValidator(_none_if_endless)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Finite = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
Word = Annotated[str, StringConstraints(max_length=1024)]
Stops = Annotated[list[Word], Field(max_length=64), BeforeValidator(_as_list)]


Shape = TypeVar("Shape", bound=BaseModel)


def parse_body(content: bytes, shape: type[Shape]) -> Shape:
    """Any thread. Raises TooManyValues, and BadRequest that names the first wrong field.

    Parsed by pydantic, whose depth is bounded: the standard library's parser recurses as deep as the body says.
    A byte order mark at the beginning is ignored (RFC 8259, 8.1): some clients write one."""
    content = content.removeprefix(codecs.BOM_UTF8)
    if has_more_elements(content):
        raise TooManyValues(MAX_ELEMENTS)
    try:
        return shape.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise BadRequest(f"The body is not valid JSON: {first['msg']}.") from None
        param = field_path(first["loc"])
        raise BadRequest(f"'{param or 'body'}': {first['msg']}.", param or None) from None


def field_path(location: tuple[int | str, ...]) -> str:
    """`("messages", 0, "role")` as `messages[0].role`."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path

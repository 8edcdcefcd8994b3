"""JSON request bodies: the schemas' base class, field types that all dialects use, and parsing within limits."""

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

from api.errors import BadRequest, TooManyValues

INT32_MAX = 2**31 - 1

MAX_MESSAGES = 16384
"""Maximum number of messages in a conversation, and of input items in a request for a response."""

MAX_VALUES = 2**17
"""Maximum number of JSON values in one body. A body of 16 MB can contain eight million values, which take gigabytes of
memory as Python objects."""

_CHUNK_BYTES = 65536
"""Size of the chunks in which a body is scanned. Scanning a large body in one call would hold the interpreter lock for
too long."""

_VALUE_STARTS = (b",", b"[", b"{")


def int_if_integral(value: object) -> object:
    """Converts a float without a fractional part to an int; returns other values unchanged.

    40.0 is an integer in JSON Schema (2020-12, section 4.2.3). Clients in languages with a single number type send
    integers in this form."""
    # From 2**53 on, a float does not identify one integer.
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def _as_list(value: object) -> object:
    """Converts the value of `stop`, which may be null, one string or a list, to a list."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else value


def none_if_unlimited(value: object) -> object:
    """Converts -1 and -2, which clients of llama.cpp and Ollama send for "no token limit", to None."""
    value = int_if_integral(value)
    return None if type(value) is int and value in (-1, -2) else value


Count = Annotated[int, Field(ge=1, le=INT32_MAX)]
CountOrUnlimited = Annotated[Count | None, BeforeValidator(none_if_unlimited)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Finite = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
ShortText = Annotated[str, StringConstraints(max_length=1024)]
Stops = Annotated[list[ShortText], Field(max_length=64), BeforeValidator(_as_list)]


def _relax_schema(part: Any) -> None:
    """Relaxes a pydantic core schema in place: an integer may be written as a float, as in 40.0, and the validation of
    a list stops at its first error.

    If the validation continued, a list with a million invalid entries would create a million error objects, which take
    gigabytes."""
    if isinstance(part, dict):
        if part.get("type") == "list":
            part["fail_fast"] = True
        if part.get("type") == "function-before" and part["function"]["function"] is int_if_integral:
            return  # this schema is part of another body too, and has already been changed
        if part.get("type") == "int":
            integer: Any = dict(part)
            part.clear()
            part.update(core_schema.no_info_before_validator_function(int_if_integral, integer))
            return
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            _relax_schema(each)


class Body(BaseModel):
    """Base class of the request schemas. A null field counts as absent, and unknown fields are accepted.

    Every number in a subclass needs bounds, because it is passed to native code."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[BaseModel], handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        _relax_schema(schema)
        return schema


Shape = TypeVar("Shape", bound=BaseModel)


def parse_body(content: bytes, shape: type[Shape]) -> Shape:
    """Parses and validates a JSON body. May be called on any thread.

    Raises TooManyValues, and BadRequest that names the first invalid field. Uses pydantic's parser, which limits the
    nesting depth; the standard library's parser recurses as deeply as the body is nested. A byte order mark at the
    start is ignored (RFC 8259, section 8.1)."""
    content = content.removeprefix(codecs.BOM_UTF8)
    if has_more_values(content):
        raise TooManyValues(MAX_VALUES)
    try:
        return shape.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise BadRequest(f"The body is not valid JSON: {first['msg']}.") from None
        param = field_path(first["loc"])
        raise BadRequest(f"'{param or 'body'}': {first['msg']}.", param or None) from None


def field_path(location: tuple[int | str, ...]) -> str:
    """Formats a pydantic error location: `("messages", 0, "role")` becomes `messages[0].role`."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def has_more_values(content: bytes, limit: int = MAX_VALUES) -> bool:
    """Whether a JSON text contains more than about `limit` values, not counting keys. Takes linear time and builds no
    objects.

    Every value but the first follows a comma or an opening bracket, so the function counts these characters outside of
    strings. For a text that is not JSON, the result has no meaning."""
    if len(content) <= limit:
        return False
    n_values, in_string, carried = 0, False, b""
    for start in range(0, len(content), _CHUNK_BYTES):
        chunk = carried + content[start : start + _CHUNK_BYTES]
        carried = b"\\" if _ends_in_escape(chunk) else b""
        chunk = chunk[: len(chunk) - len(carried)].replace(b"\\\\", b"").replace(b'\\"', b"")
        parts = chunk.split(b'"')
        outside = b"".join(parts[in_string::2])
        n_values += sum(map(outside.count, _VALUE_STARTS))
        if n_values > limit:
            return True
        in_string ^= len(parts) % 2 == 0
    return False


def _ends_in_escape(chunk: bytes) -> bool:
    """Whether the last byte is a backslash that escapes the byte after it."""
    return (len(chunk) - len(chunk.rstrip(b"\\"))) % 2 == 1

"""Request bodies of the responses API."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from api.body import MAX_MESSAGES, Body, Count, Fraction
from api.fields.constraints import Schema
from api.fields.sampling import SamplerFields
from api.fields.tools import MAX_TOOLS

MAX_METADATA = 1024


def _limit_metadata(value: object) -> object:
    """Limits the number of entries in `metadata`. Must run before pydantic validates the entries, because pydantic
    creates an error object for each invalid entry."""
    if isinstance(value, dict) and len(value) > MAX_METADATA:
        raise ValueError(f"more than {MAX_METADATA} entries")
    return value


class Reasoning(Body):
    effort: str | None = None


class TextFormat(Body):
    type: str
    name: str | None = None
    schema_: Annotated[Schema | None, Field(alias="schema")] = None
    strict: bool | None = None


class TextOptions(Body):
    format: TextFormat | None = None


class ResponsesBody(SamplerFields):
    """Body of a response. `request.parse_items` parses `input`. Tools of types other than "function" and "namespace"
    are ignored, because Codex sends several of them with every turn."""

    model: str | None = None
    input: str | Annotated[list[object], Field(max_length=MAX_MESSAGES)] | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    store: bool | None = None
    stream: bool | None = None
    max_output_tokens: Count | None = None
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] | None = None
    top_p: Fraction | None = None
    tools: Annotated[list[dict[str, object]], Field(max_length=MAX_TOOLS)] | None = None
    tool_choice: object = None
    parallel_tool_calls: bool | None = None
    reasoning: Reasoning | None = None
    text: TextOptions | None = None
    include: list[str] | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    metadata: Annotated[dict[str, str] | None, BeforeValidator(_limit_metadata)] = None
    # These fields are refused, because they need state that this server does not store.
    background: bool | None = None
    conversation: object = None
    prompt: object = None

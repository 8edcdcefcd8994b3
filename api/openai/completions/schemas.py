"""What OpenAI's clients send for a completion without a chat."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from api.body import INT32_MAX, Body, Count, Stops, whole
from api.fields.constraints import FormatFields, ResponseFormat
from api.fields.sampling import SamplerFields
from api.openai.chat.schemas import MAX_CHOICES, StreamOptions


def _largest_if_endless(value: object) -> object:
    """-1 asks for an answer without a limit; a field that is absent asks for OpenAI's default."""
    return INT32_MAX if whole(value) == -1 and type(value) is not bool else value


class CompletionBody(SamplerFields, FormatFields):
    """`prompt` is a string, a list of strings, of tokens, or of lists of tokens; `completion_request` reads it.
    Without one, the answer is the beginning of a document."""

    model: str | None = None
    prompt: object = None
    suffix: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Annotated[int, Field(ge=1, le=MAX_CHOICES)] | None = None
    best_of: Annotated[int, Field(ge=1, le=MAX_CHOICES)] | None = None
    max_tokens: Annotated[Annotated[int, Field(ge=0, le=INT32_MAX)] | None, BeforeValidator(_largest_if_endless)] = None
    min_tokens: Annotated[int, Field(ge=0, le=INT32_MAX)] | None = None
    stop: Stops = Field(default_factory=list)
    echo: bool | None = None
    logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    response_format: ResponseFormat | None = None


class EmbeddingsBody(Body):
    """`input` has the shapes of a completion's prompt."""

    model: str | None = None
    input: object
    encoding_format: str | None = None
    dimensions: Count | None = None

"""Request bodies of completions."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from api.body import INT32_MAX, Stops, int_if_integral
from api.fields.adapters import AdapterFields
from api.fields.constraints import ConstraintFields, ResponseFormat
from api.fields.sampling import SamplerFields
from api.openai.chat.schemas import MAX_CHOICES, StreamOptions


def _max_if_unlimited(value: object) -> object:
    """Converts -1, which means "no limit", to the largest number, because None would mean OpenAI's default."""
    return INT32_MAX if int_if_integral(value) == -1 and type(value) is not bool else value


class CompletionBody(SamplerFields, AdapterFields, ConstraintFields):
    """Body of a completion. `parse_prompts` parses `prompt`. If `prompt` is absent, the model writes the beginning of a
    document."""

    model: str | None = None
    prompt: object = None
    suffix: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Annotated[int, Field(ge=1, le=MAX_CHOICES)] | None = None
    best_of: Annotated[int, Field(ge=1, le=MAX_CHOICES)] | None = None
    max_tokens: Annotated[Annotated[int, Field(ge=0, le=INT32_MAX)] | None, BeforeValidator(_max_if_unlimited)] = None
    min_tokens: Annotated[int, Field(ge=0, le=INT32_MAX)] | None = None
    stop: Stops = Field(default_factory=list)
    echo: bool | None = None
    logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    response_format: ResponseFormat | None = None

    @property
    def n_generated(self) -> int:
        """Number of answers to generate for each prompt. The best `n` of them are returned."""
        return max(self.best_of or 1, self.n or 1)

"""Request bodies of the routes of llama.cpp's server."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, RootModel

from api.body import INT32_MAX, Body, CountOrUnlimited, Stops
from api.fields.adapters import AdapterFields, AdapterScaleList
from api.fields.constraints import ConstraintFields
from api.fields.sampling import SamplerFields


class AdapterScales(RootModel[AdapterScaleList]):
    """Body of /lora-adapters. Adapters that are not listed get 0."""


class TokenizeBody(Body):
    model: str | None = None
    content: str
    add_special: bool | None = None
    parse_special: bool | None = None
    with_pieces: bool | None = None


class DetokenizeBody(Body):
    model: str | None = None
    tokens: list[Annotated[int, Field(ge=0, le=INT32_MAX)]]


class LlamaBody(SamplerFields, AdapterFields, ConstraintFields):
    """Fields of both /completion and /infill. With `n_predict` 0, the prompt is only computed and cached."""

    model: str | None = None
    stream: bool | None = None
    n_predict: Annotated[int, Field(ge=-2, le=INT32_MAX)] | None = None
    max_tokens: CountOrUnlimited = None
    stop: Stops = Field(default_factory=list)
    n_probs: Annotated[int, Field(ge=0, le=20)] | None = None
    return_tokens: bool | None = None
    timings_per_token: bool | None = None
    return_progress: bool | None = None
    response_fields: Annotated[list[str], Field(max_length=256)] | None = None

    @property
    def limit(self) -> int | None:
        """Maximum number of tokens in the answer; None: no limit."""
        if self.n_predict is None:
            return self.max_tokens
        return self.n_predict if self.n_predict >= 0 else None


class LlamaCompletionBody(LlamaBody):
    """`prompt`: a text, a list of tokens, an object with `prompt_string`, or a list of these."""

    prompt: object


class ExtraFile(Body):
    text: str
    filename: str | None = None


class InfillBody(LlamaBody):
    """Body of /infill: the texts before and after the gap, other files, and the beginning of the text in the gap
    (`prompt`)."""

    input_prefix: str
    input_suffix: str
    input_extra: Annotated[list[ExtraFile], Field(max_length=1024)] | None = None
    prompt: str | None = None

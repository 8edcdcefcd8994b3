"""What clients of llama.cpp's own server send."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.body import INT32_MAX, Body, CountOrEndless, Stops
from api.openai.formats import Schema
from api.sampler import SamplerFields


class TokenizeBody(Body):
    content: str
    add_special: bool | None = None
    parse_special: bool | None = None
    with_pieces: bool | None = None


class DetokenizeBody(Body):
    tokens: list[Annotated[int, Field(ge=0, le=INT32_MAX)]]


class LlamaBody(SamplerFields):
    """What /completion and /infill have in common."""

    stream: bool | None = None
    n_predict: CountOrEndless = None
    max_tokens: CountOrEndless = None
    stop: Stops = Field(default_factory=list)
    grammar: str | None = None
    json_schema: Schema | None = None
    n_probs: Annotated[int, Field(ge=0, le=20)] | None = None


class LlamaCompletionBody(LlamaBody):
    prompt: object


class ExtraFile(Body):
    text: str
    filename: str | None = None


class InfillBody(LlamaBody):
    """The text before the gap, the text behind it, what else is known, and how the filling begins (`prompt`)."""

    input_prefix: str
    input_suffix: str
    input_extra: Annotated[list[ExtraFile], Field(max_length=1024)] | None = None
    prompt: str | None = None

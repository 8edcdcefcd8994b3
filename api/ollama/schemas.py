"""Request bodies of Ollama's API. Answers are streamed unless `stream` is false."""

from __future__ import annotations

import math
import re
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from api.body import MAX_MESSAGES, Body, Count, Stops, int_if_integral
from api.fields.sampling import SamplerFields
from api.fields.tools import MAX_TOOLS, ToolBody

# Go accepts the micro sign (U+00B5) and the Greek letter mu (U+03BC) in units.
UNITS_S = {"ns": 1e-9, "us": 1e-6, "\u00b5s": 1e-6, "\u03bcs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}

_NUMBER, _UNIT = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)", "|".join(UNITS_S)
_PART = re.compile(rf"({_NUMBER})({_UNIT})")
_DURATION = re.compile(rf"([+-]?)((?:{_NUMBER}(?:{_UNIT}))+|{_NUMBER})")
"""Matches a duration in Go's format, or a number without a unit, which many clients send for seconds."""

MAX_DURATION_CHARS = 64

MAX_DURATION_S = 100 * 365 * 86400.0
"""A longer duration is treated as infinite."""


def parse_duration(value: object) -> float | None:
    """Parses a duration from a number or a text, and returns seconds. Returns infinity for a negative duration, None
    for null.

    Raises PydanticCustomError, which pydantic reports as a validation error."""
    match value:
        case None:
            return None
        case bool():
            pass
        case int() | float() if not (isinstance(value, float) and math.isnan(value)):
            return float(value) if 0 <= value <= MAX_DURATION_S else math.inf
        case str() if len(value) <= MAX_DURATION_CHARS and (found := _DURATION.fullmatch(value)):
            sign, amount = found.groups()
            parts = _PART.findall(amount) or [(amount, "s")]
            seconds = sum(float(number) * UNITS_S[unit] for number, unit in parts)
            return parse_duration(-seconds if sign == "-" else seconds)
    raise PydanticCustomError("no_time", 'Must be a number of seconds, or a duration such as "5m" or "1h30m"')


def _none_if_not_positive(value: object) -> object:
    """Converts 0 and negative numbers, which mean "no limit", to None."""
    value = int_if_integral(value)
    return None if type(value) is int and value <= 0 else value


class Options(SamplerFields):
    """Ollama's `options`. Options for memory and threads (`num_ctx`, `num_gpu`) are ignored, because they are set when
    the model is loaded. `num_keep` is ignored too: it controls how a long prompt is shortened, but this server refuses
    a prompt that is too long."""

    num_predict: Annotated[Count | None, BeforeValidator(_none_if_not_positive)] = None
    stop: Stops = Field(default_factory=list)


class ModelBody(Body):
    """Names the model. `name` is the earlier name of `model`."""

    model: str | None = None
    name: str | None = None


class KeepAliveBody(ModelBody):
    """`keep_alive`: idle time in seconds after which the model is unloaded; None leaves the current value."""

    keep_alive: Annotated[float | None, BeforeValidator(parse_duration, json_schema_input_type=float | str | None)] = (
        None
    )


class OllamaMessage(Body):
    role: str
    content: str | None = None
    thinking: str | None = None
    images: list[object] | None = None
    tool_calls: list[dict[str, object]] | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None


class AnswerBody(KeepAliveBody):
    """Fields of both /api/chat and /api/generate."""

    stream: bool | None = None
    format: str | dict[str, object] | None = None
    options: Options | None = None
    think: bool | str | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None

    @property
    def sent_options(self) -> Options:
        """Returns `options`, or empty options if the field is absent."""
        return self.options or Options()


class ChatBody(AnswerBody):
    messages: Annotated[list[OllamaMessage], Field(max_length=MAX_MESSAGES)] | None = None
    tools: Annotated[list[ToolBody], Field(max_length=MAX_TOOLS)] | None = None


class GenerateBody(AnswerBody):
    prompt: str | None = None
    suffix: str | None = None
    system: str | None = None
    raw: bool | None = None
    template: str | None = None
    context: list[int] | None = None
    images: list[object] | None = None


class EmbedBody(KeepAliveBody):
    """`prompt` is the earlier name of `input`. `truncate`: whether an input that is too long is cut off; true by
    default."""

    input: str | list[str] | None = None
    prompt: str | None = None
    truncate: bool | None = None
    dimensions: Count | None = None

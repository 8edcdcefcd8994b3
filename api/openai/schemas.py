"""What OpenAI's clients send. A null means absent; fields unknown here are let through and looked at in `promises`.

Numbers have bounds everywhere: they end up in native code.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

INT32_MAX = 2**31 - 1


def _as_list(value: object) -> object:
    """`stop` comes as nothing, one string, or a list."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else value


Count = Annotated[int, Field(ge=1, le=INT32_MAX)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
StopString = Annotated[str, StringConstraints(max_length=1024)]


class OpenAiBody(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow", frozen=True)


class StreamOptions(OpenAiBody):
    include_usage: bool | None = None


class ChatMessage(OpenAiBody):
    """`content` has many shapes; `translate` reads it, so as to name the part that is wrong."""

    role: str
    content: object = None
    tool_calls: object = None


class ChatCompletionBody(OpenAiBody):
    model: str | None = None
    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    stop: Annotated[list[StopString], Field(max_length=64), BeforeValidator(_as_list)] = []
    seed: int | None = None
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] | None = None
    top_p: Fraction | None = None
    # Not OpenAI's, but sent by many tools for local models.
    top_k: Annotated[int, Field(ge=0, le=INT32_MAX)] | None = None
    min_p: Fraction | None = None
    repeat_penalty: Annotated[float, Field(ge=0.01, le=100, allow_inf_nan=False)] | None = None
    repeat_last_n: Annotated[int, Field(ge=0, le=32768)] | None = None

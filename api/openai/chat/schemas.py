"""What OpenAI's clients send for a chat completion. Fields unknown here are looked at in `promises`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.body import INT32_MAX, MAX_MESSAGES, Body, CountOrEndless, Stops
from api.fields.constraints import FormatFields, ResponseFormat
from api.fields.sampling import SamplerFields
from api.fields.tools import ToolBody

MAX_CHOICES = 128
MAX_TOOLS = 1024


class StreamOptions(Body):
    include_usage: bool | None = None
    continuous_usage_stats: bool | None = None
    """vLLM's: counts with each piece."""


class ChatMessage(Body):
    """`content` and `tool_calls` have many shapes; `messages` reads them, so as to name the part that is wrong."""

    role: str
    content: object = None
    tool_calls: object = None
    tool_call_id: str | None = None
    name: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    function_call: object = None


class ChatCompletionBody(SamplerFields, FormatFields):
    model: str | None = None
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=MAX_MESSAGES)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Annotated[int, Field(ge=1, le=MAX_CHOICES)] | None = None
    max_tokens: CountOrEndless = None
    max_completion_tokens: CountOrEndless = None
    min_tokens: Annotated[int, Field(ge=0, le=INT32_MAX)] | None = None
    stop: Stops = Field(default_factory=list)
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    response_format: ResponseFormat | None = None
    tools: Annotated[list[ToolBody], Field(max_length=MAX_TOOLS)] | None = None
    tool_choice: object = None
    parallel_tool_calls: bool | None = None
    functions: Annotated[list[dict[str, object]], Field(max_length=MAX_TOOLS)] | None = None
    function_call: object = None
    reasoning_effort: str | None = None
    # llama.cpp's, which tools for local models send.
    chat_template_kwargs: dict[str, object] | None = None
    reasoning_budget_tokens: Annotated[int, Field(ge=-1, le=INT32_MAX)] | None = None
    timings_per_token: bool | None = None
    """Timings with each chunk of a stream."""
    return_progress: bool | None = None
    """Chunks that report how much of the prompt has been read, before the answer of a stream."""
    continue_final_message: bool | None = None
    add_generation_prompt: bool | None = None

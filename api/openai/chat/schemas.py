"""Request bodies of chat completions. `unsupported_params` checks the fields that are not declared here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.body import INT32_MAX, MAX_MESSAGES, Body, CountOrUnlimited, Stops
from api.fields.adapters import AdapterFields
from api.fields.constraints import ConstraintFields, ResponseFormat
from api.fields.reasoning import ReasoningFields
from api.fields.sampling import SamplerFields
from api.fields.tools import MAX_TOOLS, ToolBody

MAX_CHOICES = 128


class StreamOptions(Body):
    include_usage: bool | None = None
    continuous_usage_stats: bool | None = None
    """vLLM's field for token counts in each chunk; true is refused."""


class ChatMessage(Body):
    """One message. `content` and `tool_calls` have several forms; `request.parse_message` parses them, and its errors
    name the invalid part."""

    role: str
    content: object = None
    tool_calls: object = None
    tool_call_id: str | None = None
    name: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    function_call: object = None


class ChatCompletionBody(SamplerFields, AdapterFields, ConstraintFields, ReasoningFields):
    model: str | None = None
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=MAX_MESSAGES)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Annotated[int, Field(ge=1, le=MAX_CHOICES)] | None = None
    max_tokens: CountOrUnlimited = None
    max_completion_tokens: CountOrUnlimited = None
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
    # Fields of llama.cpp's server.
    timings_per_token: bool | None = None
    """True: timings are sent with each chunk of a stream."""
    return_progress: bool | None = None
    """True: the prompt's progress is reported in chunks before the answer."""
    continue_final_message: bool | None = None
    add_generation_prompt: bool | None = None

"""Request bodies of Anthropic's messages API."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.body import INT32_MAX, MAX_MESSAGES, Body, Count, Fraction, ShortText
from api.fields.constraints import Schema
from api.fields.sampling import SamplerFields
from api.fields.tools import MAX_TOOLS, ToolName


class AnthropicMessage(Body):
    role: str
    content: object = None


class AnthropicTool(Body):
    """A tool. `type`: absent or "custom" for a tool that the client runs. Tools of other types are run by Anthropic,
    and are not supported."""

    type: str | None = None
    name: ToolName
    description: str | None = None
    input_schema: Schema | None = None


class AnthropicToolChoice(Body):
    type: str
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class Thinking(Body):
    type: str
    budget_tokens: int | None = None


class OutputFormat(Body):
    type: str
    schema_: Annotated[Schema | None, Field(alias="schema")] = None


class OutputConfig(Body):
    effort: str | None = None
    format: OutputFormat | None = None


class CountBody(Body):
    model: str | None = None
    messages: Annotated[list[AnthropicMessage], Field(min_length=1, max_length=MAX_MESSAGES)]
    system: object = None
    tools: Annotated[list[AnthropicTool], Field(max_length=MAX_TOOLS)] | None = None
    tool_choice: AnthropicToolChoice | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    output_format: OutputFormat | None = None
    """The earlier name of `output_config.format`, which Anthropic's clients still send."""
    context_management: object = None
    """Edits that would shorten the prompt. This server does not apply them, and its answer states that."""


class MessagesBody(CountBody, SamplerFields):
    max_tokens: Count
    stream: bool | None = None
    stop_sequences: Annotated[list[ShortText], Field(max_length=64)] | None = None
    temperature: Fraction | None = None
    top_p: Fraction | None = None
    top_k: Annotated[int, Field(ge=0, le=INT32_MAX)] | None = None

"""Requests to the engine. All are frozen values and may be passed between threads."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from engine.priority import Origin, Priority


def new_request_id() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call of the model. `arguments` is JSON text as generated, which can be invalid."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may call. `parameters` is a JSON schema as text."""

    name: str
    description: str = ""
    parameters: str = '{"type": "object", "properties": {}}'


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat. A message of the role "tool" is the result of the call `tool_call_id`."""

    role: str
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    reasoning: str | None = None


@dataclass(frozen=True, slots=True)
class NamedTool:
    """Requires a call of this tool."""

    name: str


ToolChoice = Literal["none", "auto", "required"] | NamedTool


@dataclass(frozen=True, slots=True)
class Constraint:
    """What the text of an answer must match. `source` is a JSON schema, a regular expression, a Lark or GBNF grammar,
    or a JSON list of strings ("choice"); it is empty for "json_object"."""

    kind: Literal["json_object", "json_schema", "regex", "choice", "lark", "gbnf"]
    source: str = ""
    strict: bool = True
    """Whether JSON schema keywords that cannot be enforced are an error; otherwise they are listed in `Started`."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """Sampler settings. Each sampler is off at the neutral value of its field; `Sampling()` enables temperature, top-k,
    top-p and min-p. `temperature` 0 is greedy; `seed` None draws a random one."""

    temperature: float = 0.8
    temperature_range: float = 0.0
    """Dynamic temperature: how far it varies in both directions with the entropy of the distribution."""
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    typical_p: float = 1.0
    top_n_sigma: float = -1.0
    xtc_probability: float = 0.0
    xtc_threshold: float = 0.1
    repeat_penalty: float = 1.0
    repeat_last_n: int = 64
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_last_n: int = 1024
    mirostat: bool = False
    """Mirostat 2, which replaces all samplers that remove unlikely tokens."""
    mirostat_tau: float = 5.0
    mirostat_eta: float = 0.1
    logit_bias: tuple[tuple[int, float], ...] = ()
    min_keep: int = 0
    """Minimum number of tokens left by each sampler that removes unlikely ones."""
    ignore_eos: bool = False
    seed: int | None = None

    @property
    def is_deterministic(self) -> bool:
        """Whether the same prompt must give the same answer."""
        return self.temperature <= 0.0 or self.seed is not None


GREEDY = Sampling(temperature=0.0)

Effort = Literal["minimal", "low", "medium", "high"]
"""Reasoning effort. For a chat template without that setting, "minimal" turns reasoning off and others do nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationOptions:
    """Fields that chat and completion requests have in common."""

    constraint: Constraint | None = None
    """What the text of the answer must match; reasoning before it is unconstrained. With tools, the answer is either
    text that matches or tool calls; if a call is required, the constraint is ignored."""
    max_tokens: int | None = None
    """None: until the model ends the answer or the context is full."""
    min_tokens: int = 0
    """Minimum length of the answer: end-of-generation tokens are excluded before."""
    stop: tuple[str, ...] = ()
    n_logprobs: int | None = None
    """None: no log probabilities. Otherwise each sampled token has its own and those of the `n_logprobs` likeliest."""
    prompt_logprobs: bool = False
    """Also returns those of the prompt's tokens, in `Started`; then nothing of the prompt comes from the cache."""
    use_cache: bool = True
    """False: no token of the prompt comes from the cache, so `n_cached` is 0."""
    background: bool = False
    """Runs only when nothing else does."""
    owner: str = ""
    """The chat, or the API key, to which the KV memory of the request is attributed."""
    id: str = field(default_factory=new_request_id)


@dataclass(frozen=True, slots=True)
class ChatRequest(GenerationOptions):
    """Generates an answer to `messages` with the model's chat template."""

    messages: tuple[Message, ...]
    origin: Origin
    sampling: Sampling = Sampling()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = "auto"
    parallel_tool_calls: bool = True
    """False: the answer ends with its first call."""
    thinking: bool | None = None
    """Reasoning on or off, if the chat template supports that; None: the template's default."""
    effort: Effort | None = None
    answer_start: str = ""
    """Beginning of the answer, which the model continues."""
    template_arguments: tuple[tuple[str, bool | int | float | str], ...] = ()
    """Additional variables for the chat template."""

    @property
    def priority(self) -> Priority:
        return Priority.of(self.origin, background=self.background)


@dataclass(frozen=True, slots=True)
class CompletionRequest(GenerationOptions):
    """Continues `prompt` without a chat template."""

    prompt: str | tuple[int, ...]
    """Text, or tokens of the model."""
    origin: Origin
    sampling: Sampling = Sampling()

    @property
    def priority(self) -> Priority:
        return Priority.of(self.origin, background=self.background)


Request = ChatRequest | CompletionRequest


@dataclass(frozen=True, slots=True)
class EmbedRequest:
    """Requests one vector for each input. Computed by the embedding model if one is loaded, otherwise by the chat
    model."""

    inputs: tuple[str | tuple[int, ...], ...]
    """Texts, or tokens of the model."""
    origin: Origin
    dimensions: int | None = None
    """Length to which the vectors are truncated and then normalised again."""
    id: str = field(default_factory=new_request_id)
    truncate: bool = False
    """Truncates inputs that are too long, instead of raising ContextOverflow."""

    @property
    def priority(self) -> Priority:
        return Priority.of(self.origin)


def n_chars_of(request: Request) -> int:
    """Approximate total length of its texts, in characters."""
    if isinstance(request, CompletionRequest):
        return len(request.prompt)
    tools = sum(len(tool.description) + len(tool.parameters) for tool in request.tools)
    return n_chars_of_messages(request.messages) + len(request.answer_start) + tools


def n_chars_of_messages(messages: Sequence[Message]) -> int:
    """Approximate total length of their texts, in characters."""
    n_chars = 0
    for message in messages:
        n_chars += len(message.content) + len(message.reasoning or "")
        n_chars += sum(len(call.arguments) for call in message.tool_calls)
    return n_chars

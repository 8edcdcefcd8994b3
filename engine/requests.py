"""Requests to the engine. All are frozen values and may be passed between threads."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from engine.adapter import AdapterScales
from engine.priority import Origin, Priority


def new_request_id() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call by the model. `arguments` is the JSON text as generated, which can be invalid."""

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
    """One message of a chat. If its role is "tool", it is the result of the tool call with the id `tool_call_id`."""

    role: str
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    reasoning: str | None = None


@dataclass(frozen=True, slots=True)
class NamedTool:
    """A tool choice that requires a call of the named tool."""

    name: str


ToolChoice = Literal["none", "auto", "required"] | NamedTool


@dataclass(frozen=True, slots=True)
class Constraint:
    """What the text of an answer must match. Depending on `kind`, `source` is a JSON schema, a regular expression, a
    Lark or GBNF grammar, or (for "choice") a JSON list of strings. For "json_object" it is empty."""

    kind: Literal["json_object", "json_schema", "regex", "choice", "lark", "gbnf"]
    source: str = ""
    strict: bool = True
    """Whether a JSON schema keyword that cannot be enforced is an error. If not, such keywords are listed in
    `Started`."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """Sampler settings. The neutral value of a field turns off the field's sampler; the defaults turn on temperature,
    top-k, top-p and min-p. `temperature` 0 means greedy sampling; `seed` None means a random seed."""

    temperature: float = 0.8
    temperature_range: float = 0.0
    """Dynamic temperature: the maximum deviation from `temperature` in both directions. The actual deviation depends on
    the entropy of the distribution."""
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
    """Whether Mirostat 2 is used. It replaces all samplers that remove unlikely tokens."""
    mirostat_tau: float = 5.0
    mirostat_eta: float = 0.1
    logit_bias: tuple[tuple[int, float], ...] = ()
    min_keep: int = 0
    """Minimum number of candidate tokens. Samplers that remove unlikely tokens stop at this number."""
    ignore_eos: bool = False
    seed: int | None = None

    @property
    def is_deterministic(self) -> bool:
        """Whether the same prompt must give the same answer: sampling is greedy or has a seed."""
        return self.temperature <= 0.0 or self.seed is not None


GREEDY = Sampling(temperature=0.0)

Effort = Literal["minimal", "low", "medium", "high"]
"""Reasoning effort. If the chat template has no such setting, "minimal" turns reasoning off and the other values have
no effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationOptions:
    """Fields that chat and completion requests have in common."""

    constraint: Constraint | None = None
    """What the text of the answer must match; reasoning before the answer is unconstrained. In a request with tools,
    the answer is either matching text or tool calls. If a tool call is required, the constraint is ignored."""
    max_tokens: int | None = None
    """Maximum number of tokens in the answer. With None, the answer ends when the model ends it or the context is
    full."""
    min_tokens: int = 0
    """Minimum number of tokens in the answer. Until then, end-of-generation tokens are excluded."""
    stop: tuple[str, ...] = ()
    n_logprobs: int | None = None
    """Number of likeliest tokens that are returned with each sampled token, all with their log probabilities. With
    None, no log probabilities are returned."""
    prompt_logprobs: bool = False
    """Whether log probabilities of the prompt's tokens are returned, in `Started`. If so, no prompt token is taken from
    the KV cache."""
    use_cache: bool = True
    """Whether prompt tokens may be taken from the KV cache. If not, `n_cached` is 0."""
    n_draft_max: int | None = None
    """Maximum number of draft tokens in one step (speculative decoding). 0 turns drafts off. With None, the engine
    chooses. Drafts change the speed of an answer, not its probabilities."""
    wants_progress: bool = False
    """Whether `PromptProgress` events are sent while the prompt is read."""
    adapter_scales: AdapterScales | None = None
    """The scales of the model's LoRA adapters for this request; missing ones are 0. None means `ModelInfo.adapters`."""
    background: bool = False
    """Whether the request has the lowest priority, `Priority.BACKGROUND`."""
    owner: str = ""
    """The chat, or the API key, to which the request's KV memory is attributed."""
    id: str = field(default_factory=new_request_id)


@dataclass(frozen=True, slots=True)
class ChatRequest(GenerationOptions):
    """A request for an answer to `messages`, with the model's chat template."""

    messages: tuple[Message, ...]
    origin: Origin
    sampling: Sampling = Sampling()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = "auto"
    parallel_tool_calls: bool = True
    """Whether the answer may contain several tool calls. If not, it ends after the first."""
    thinking: bool | None = None
    """Turns reasoning on or off, if the chat template supports that. None means the template's default."""
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
    """A request to continue `prompt`, without a chat template."""

    prompt: str | tuple[int, ...]
    """A text, or token ids of the model."""
    origin: Origin
    sampling: Sampling = Sampling()

    @property
    def priority(self) -> Priority:
        return Priority.of(self.origin, background=self.background)


Request = ChatRequest | CompletionRequest


@dataclass(frozen=True, slots=True)
class EmbedRequest:
    """A request for one vector per input. The embedding model computes the vectors if one is loaded, otherwise the chat
    model."""

    inputs: tuple[str | tuple[int, ...], ...]
    """Each input is a text, or token ids of the model."""
    origin: Origin
    dimensions: int | None = None
    """Length to which the vectors are truncated and then normalised again. None means their full length."""
    id: str = field(default_factory=new_request_id)
    truncate: bool = False
    """Whether inputs that are too long are truncated. If not, the request fails with ContextOverflow."""

    @property
    def priority(self) -> Priority:
        return Priority.of(self.origin)


@dataclass(frozen=True, slots=True)
class RerankRequest:
    """A request for one score per document: how well it answers the query. The reranking model computes the scores."""

    query: str
    documents: tuple[str, ...]
    origin: Origin
    id: str = field(default_factory=new_request_id)
    truncate: bool = True
    """Whether the end of a document that is too long is left out. If not, the request fails with ContextOverflow. A
    query that is too long always does."""

    @property
    def n_chars(self) -> int:
        return len(self.query) * len(self.documents) + sum(map(len, self.documents))


def n_chars_of(request: Request) -> int:
    """Approximate total length of a request's texts, in characters."""
    if isinstance(request, CompletionRequest):
        return len(request.prompt)
    tools = sum(len(tool.description) + len(tool.parameters) for tool in request.tools)
    return n_chars_of_messages(request.messages) + len(request.answer_start) + tools


def n_chars_of_messages(messages: Sequence[Message]) -> int:
    """Approximate total length of the messages' texts, in characters."""
    n_chars = 0
    for message in messages:
        n_chars += len(message.content) + len(message.reasoning or "")
        n_chars += sum(len(call.arguments) for call in message.tool_calls)
    return n_chars

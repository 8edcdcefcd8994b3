"""What can be asked of the engine. All frozen: a request is a value and may cross threads."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Origin = Literal["window", "endpoint"]
"""Who asks. The window outranks the endpoint."""


def new_request_id() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the model made. `arguments` is JSON text, as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may ask to be called. `parameters` is a JSON schema, as text."""

    name: str
    description: str = ""
    parameters: str = '{"type": "object", "properties": {}}'


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. A "tool" message answers the call `tool_call_id`; `reasoning` is what the model thought before."""

    role: str
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    reasoning: str | None = None


@dataclass(frozen=True, slots=True)
class NamedTool:
    """The tool choice that asks for one certain tool."""

    name: str


ToolChoice = Literal["none", "auto", "required"] | NamedTool


@dataclass(frozen=True, slots=True)
class Constraint:
    """What the answer's text must match. `source` is a JSON schema, a regular expression, a Lark or GBNF grammar,
    or a JSON list of strings ("choice"); for "json_object" it is empty."""

    kind: Literal["json_object", "json_schema", "regex", "choice", "lark", "gbnf"]
    source: str = ""
    strict: bool = True
    """False: what of a JSON schema cannot be enforced is left out, and named in `Started`. True: it is an error."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen. The neutral value of each field switches it off, so that `Sampling()` names only
    what is on: temperature, top-k, top-p, min-p. `temperature` 0 is greedy; `seed` None draws a fresh one."""

    temperature: float = 0.8
    temperature_range: float = 0.0
    """The temperature moves by so much either way with the entropy of the choice."""
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
    """Mirostat 2, in the place of all that cuts off unlikely tokens."""
    mirostat_tau: float = 5.0
    mirostat_eta: float = 0.1
    logit_bias: tuple[tuple[int, float], ...] = ()
    min_keep: int = 0
    """So many tokens are left by each step that cuts off unlikely ones."""
    ignore_eos: bool = False
    seed: int | None = None

    @property
    def is_deterministic(self) -> bool:
        """Whether the same prompt is meant to give the same answer."""
        return self.temperature <= 0.0 or self.seed is not None


GREEDY = Sampling(temperature=0.0)

Effort = Literal["minimal", "low", "medium", "high"]
"""How much a model is to think. Models whose template knows no such word only hear "minimal", as thinking off."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """Answer `messages` through the model's chat template. `max_tokens` None: until the model or the context ends.

    `answer_start` is text with which the answer begins already: a cut answer, or another branch of one."""

    messages: tuple[Message, ...]
    origin: Origin
    sampling: Sampling = Sampling()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = "auto"
    parallel_tool_calls: bool = True
    """False: the answer ends with its first call."""
    thinking: bool | None = None
    """Reasoning on or off, where the model's template lets one choose; None: as the template has it."""
    effort: Effort | None = None
    constraint: Constraint | None = None
    """What the answer's text must match; reasoning before it is free. With tools, the answer is text that matches, or
    calls; where a call is required, only that."""
    answer_start: str = ""
    max_tokens: int | None = None
    min_tokens: int = 0
    """No end token is chosen before."""
    stop: tuple[str, ...] = ()
    n_logprobs: int | None = None
    """Log probabilities of each token of the answer, with so many of the likeliest beside it."""
    prompt_logprobs: bool = False
    """Those of the prompt's tokens too, in `Started`; then nothing of it comes from a cache."""
    use_cache: bool = True
    """False: no token of the prompt comes from a cache, so that `n_cached` is 0."""
    background: bool = False
    """Nobody waits for it: it runs when nothing else does."""
    owner: str = ""
    """Whose memory what is read for it counts as: a chat, or a tool's key."""
    template_arguments: tuple[tuple[str, bool | int | float | str], ...] = ()
    """Further names for the model's chat template, beside those for thinking, with their values."""
    id: str = field(default_factory=new_request_id)


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """Go on from `prompt` as it stands, without a template."""

    prompt: str | tuple[int, ...]
    """Text, or the model's own tokens as they stand."""
    origin: Origin
    sampling: Sampling = Sampling()
    constraint: Constraint | None = None
    max_tokens: int | None = None
    min_tokens: int = 0
    """No end token is chosen before."""
    stop: tuple[str, ...] = ()
    n_logprobs: int | None = None
    """Log probabilities of each token of the answer, with so many of the likeliest beside it."""
    prompt_logprobs: bool = False
    """Those of the prompt's tokens too, in `Started`; then nothing of it comes from a cache."""
    use_cache: bool = True
    """False: no token of the prompt comes from a cache, so that `n_cached` is 0."""
    background: bool = False
    """Nobody waits for it: it runs when nothing else does."""
    owner: str = ""
    """Whose memory what is read for it counts as: a chat, or a tool's key."""
    id: str = field(default_factory=new_request_id)


Request = ChatRequest | CompletionRequest


@dataclass(frozen=True, slots=True)
class EmbedRequest:
    """One vector for each of `inputs` (text, or the model's own tokens), by the embedding model where one is loaded
    beside the chat model, else by the chat model where that can embed."""

    inputs: tuple[str | tuple[int, ...], ...]
    origin: Origin
    dimensions: int | None = None
    """Only the first so many numbers, normalised again."""
    id: str = field(default_factory=new_request_id)
    truncate: bool = False
    """An input that is longer than what the model reads is cut off at the end, instead of refused."""


def n_chars_of(request: Request) -> int:
    """How long its texts are together, more or less."""
    if isinstance(request, CompletionRequest):
        return len(request.prompt)
    tools = sum(len(tool.description) + len(tool.parameters) for tool in request.tools)
    return n_chars_of_messages(request.messages) + len(request.answer_start) + tools


def n_chars_of_messages(messages: Sequence[Message]) -> int:
    """How long their texts are together, more or less."""
    n_chars = 0
    for message in messages:
        n_chars += len(message.content) + len(message.reasoning or "")
        n_chars += sum(len(call.arguments) for call in message.tool_calls)
    return n_chars

"""Events of a request's stream: `Started`, then deltas of reasoning, text and tool calls, then exactly one `Finished`
or `Failed`.

`Started` is sent when the prompt is computed and the first token is sampled. A request that fails or is cancelled
before has no `Started`, so the first event shows whether a request failed early.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from engine.errors import EngineError

FinishReason = Literal["stop", "length", "tool_calls", "cancelled"]
"""stop: end-of-generation token, stop string, or a complete constrained answer. length: `max_tokens` or context length
reached. tool_calls: stopped after tool calls. cancelled: by the caller."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts. `n_cached` of the `n_prompt` tokens came from the cache."""

    n_prompt: int
    n_cached: int
    n_output: int


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds in the queue, on the prompt and on the answer."""

    queue_s: float
    prefill_s: float
    decode_s: float
    first_token_s: float
    """From `submit` to the first token; 0 without one."""


@dataclass(frozen=True, slots=True)
class TokenChoice:
    """A token as bytes, with the natural logarithm of its probability and alternatives."""

    token: bytes
    logprob: float
    others: tuple[tuple[bytes, float], ...] = ()
    """The likeliest tokens, including the chosen one if it is among them, in descending order."""
    id: int = field(default=-1, compare=False)
    other_ids: tuple[int, ...] = field(default=(), compare=False)
    """Token ids of `token` and `others`."""


@dataclass(frozen=True, slots=True)
class Started:
    n_prompt: int
    n_cached: int
    prompt: tuple[TokenChoice, ...] = ()
    """With `prompt_logprobs`: the prompt's tokens, the first with a log probability of 0."""
    not_enforced: tuple[str, ...] = ()
    """Schema keywords that are not enforced, each with its location."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """`text` is never empty and consists of whole characters; `n_tokens` tokens were sampled for it."""

    text: str
    n_tokens: int = 0
    choices: tuple[TokenChoice, ...] = ()
    """With `n_logprobs`: those tokens."""


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """Reasoning before the answer; otherwise like TextDelta."""

    text: str
    n_tokens: int = 0


@dataclass(frozen=True, slots=True)
class ToolCallStarted:
    """Begins a tool call; `index` counts the calls of one answer from 0."""

    index: int
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """Appends to the `arguments` of a call, which are JSON text."""

    index: int
    arguments: str


@dataclass(frozen=True, slots=True)
class Finished:
    reason: FinishReason
    usage: Usage
    timings: Timings
    stop_string: str | None = None
    """The stop string that ended the answer, if one did."""


@dataclass(frozen=True, slots=True)
class Failed:
    error: EngineError


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Result of an EmbedRequest: a vector of length 1 for each input, in order."""

    vectors: tuple[tuple[float, ...], ...]
    n_prompt: int
    """Total number of tokens of all inputs."""


Delta = TextDelta | ReasoningDelta | ToolCallStarted | ToolCallDelta
Event = Started | Delta | Finished | Failed


def are_mergeable(event: Event, following: Event) -> bool:
    """Whether both are deltas of the same kind, and of the same tool call."""
    match event, following:
        case (TextDelta(), TextDelta()) | (ReasoningDelta(), ReasoningDelta()):
            return True
        case ToolCallDelta(index=index), ToolCallDelta(index=same):
            return index == same
    return False


def merge_deltas(deltas: Sequence[Event]) -> TextDelta | ReasoningDelta | ToolCallDelta:
    """One delta for several for which `are_mergeable` holds."""
    texts = [each for each in deltas if isinstance(each, TextDelta)]
    reasoning = [each for each in deltas if isinstance(each, ReasoningDelta)]
    calls = [each for each in deltas if isinstance(each, ToolCallDelta)]
    if texts:
        choices = tuple(choice for each in texts for choice in each.choices)
        return TextDelta("".join(each.text for each in texts), sum(each.n_tokens for each in texts), choices)
    if reasoning:
        return ReasoningDelta("".join(each.text for each in reasoning), sum(each.n_tokens for each in reasoning))
    return ToolCallDelta(calls[0].index, "".join(each.arguments for each in calls))

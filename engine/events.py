"""Events of a request's stream: `PromptProgress` if the request wants it, then `Started`, then deltas of reasoning,
text and tool calls, then exactly one `Finished` or `Failed`.

`Started` is sent when the prompt is computed and the first token is sampled. A request that fails or is cancelled
before that has no `Started`. Without `PromptProgress`, the first event thus shows whether a request failed early.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from engine.errors import EngineError

FinishReason = Literal["stop", "length", "tool_calls", "cancelled"]
"""Why an answer ended. "stop": an end-of-generation token, a stop string, or a complete constrained answer. "length":
`max_tokens` or the context length was reached. "tool_calls": the model made tool calls. "cancelled": the caller
cancelled the request."""


DraftKind = Literal["ngram", "model", "mtp"]
"""What proposed a draft: "ngram" the request's own text, "model" a second model, "mtp" the model's MTP layers
(multi-token prediction)."""


@dataclass(frozen=True, slots=True)
class DraftCounts:
    """Token counts of the drafts of one kind."""

    kind: DraftKind
    n_drafted: int
    """Number of draft tokens that were verified."""
    n_accepted: int
    """Number of draft tokens that the sampler chose too."""

    def plus(self, other: DraftCounts | None) -> DraftCounts:
        """Returns the sum of two counts of the same kind."""
        if other is None:
            return self
        return DraftCounts(self.kind, self.n_drafted + other.n_drafted, self.n_accepted + other.n_accepted)


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts of a request. `n_cached` of the `n_prompt` prompt tokens came from the KV cache."""

    n_prompt: int
    n_cached: int
    n_output: int
    n_drafted: int = 0
    """Number of draft tokens that were verified (speculative decoding)."""
    n_accepted: int = 0
    """Number of draft tokens that the sampler chose too. They are part of the answer."""
    drafts: tuple[DraftCounts, ...] = ()
    """The same two counts for each kind of draft that was verified."""


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds that a request spent in the queue, on its prompt and on its answer."""

    queue_s: float
    prefill_s: float
    decode_s: float
    first_token_s: float
    """Seconds from `submit` to the first token; 0 if no token was sampled."""


@dataclass(frozen=True, slots=True)
class TokenChoice:
    """A token as bytes, the natural logarithm of its probability, and the likeliest alternatives."""

    token: bytes
    logprob: float
    others: tuple[tuple[bytes, float], ...] = ()
    """The likeliest tokens with their log probabilities, most likely first. The sampled token is included only if it is
    one of the likeliest."""
    id: int = field(default=-1, compare=False)
    other_ids: tuple[int, ...] = field(default=(), compare=False)
    """The token ids: `id` of `token`, and `other_ids` of the tokens in `others`, in the same order."""


@dataclass(frozen=True, slots=True)
class PromptProgress:
    """How much of the prompt is read. Sent only to requests with `wants_progress`, at most once per step."""

    n_prompt: int
    n_cached: int
    n_read: int
    """Number of prompt tokens that were computed or cached."""
    prefill_s: float
    """Seconds since the first step with tokens of this prompt began."""


@dataclass(frozen=True, slots=True)
class Started:
    n_prompt: int
    n_cached: int
    prompt: tuple[TokenChoice, ...] = ()
    """The tokens of the prompt, if the request has `prompt_logprobs`. The log probability of the first one is 0."""
    not_enforced: tuple[str, ...] = ()
    """Schema keywords that the constraint does not enforce, each with its location."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A part of the answer. `text` is never empty and consists of whole characters; `n_tokens` tokens were sampled for
    it."""

    text: str
    n_tokens: int = 0
    choices: tuple[TokenChoice, ...] = ()
    """The sampled tokens, if the request has `n_logprobs`."""


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """A part of the reasoning before the answer. `text` and `n_tokens` are as in TextDelta."""

    text: str
    n_tokens: int = 0


@dataclass(frozen=True, slots=True)
class ToolCallStarted:
    """Begins a tool call. `index` is the number of the call within the answer, from 0."""

    index: int
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """Appends JSON text to the `arguments` of a tool call."""

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
    """Result of an EmbedRequest: one vector of length 1 for each input, in the order of the inputs."""

    vectors: tuple[tuple[float, ...], ...]
    n_prompt: int
    """Total number of tokens of all inputs."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Result of a RerankRequest: one score for each document, in the order of the documents. Higher is better."""

    values: tuple[float, ...]
    n_prompt: int
    """Total number of tokens of all prompts, each of which has the query and one document."""
    are_probabilities: bool = False
    """If not, the scores are logits, of any size."""


Delta = TextDelta | ReasoningDelta | ToolCallStarted | ToolCallDelta
Event = PromptProgress | Started | Delta | Finished | Failed


def are_mergeable(event: Event, following: Event) -> bool:
    """Whether two events can be merged: both are deltas of the same kind and, for tool calls, of the same call."""
    match event, following:
        case (TextDelta(), TextDelta()) | (ReasoningDelta(), ReasoningDelta()):
            return True
        case ToolCallDelta(index=index), ToolCallDelta(index=same):
            return index == same
    return False


def merge_deltas(deltas: Sequence[Event]) -> TextDelta | ReasoningDelta | ToolCallDelta:
    """Merges several deltas into one. All of them must be mergeable with each other (see `are_mergeable`)."""
    texts = [each for each in deltas if isinstance(each, TextDelta)]
    reasoning = [each for each in deltas if isinstance(each, ReasoningDelta)]
    calls = [each for each in deltas if isinstance(each, ToolCallDelta)]
    if texts:
        choices = tuple(choice for each in texts for choice in each.choices)
        return TextDelta("".join(each.text for each in texts), sum(each.n_tokens for each in texts), choices)
    if reasoning:
        return ReasoningDelta("".join(each.text for each in reasoning), sum(each.n_tokens for each in reasoning))
    return ToolCallDelta(calls[0].index, "".join(each.arguments for each in calls))

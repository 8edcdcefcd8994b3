"""What the engine answers. A stream is `Started`, then deltas of reasoning, text and tool calls, then exactly one
`Finished` or `Failed`.

`Started` comes when the prompt has been read and the first token is known; a request that fails or is cancelled
before that has no `Started`. So a origin that waits for the first event knows whether the request went wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from engine.errors import EngineError

FinishReason = Literal["stop", "length", "tool_calls", "cancelled"]
"""stop: the model ended or a stop string came. length: max_tokens or the context's end. tool_calls: it ended after
calling tools. cancelled: by the asker."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts. `n_cached` of the `n_prompt` were not computed again."""

    n_prompt: int
    n_cached: int
    n_output: int


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds by the monotonic clock: waiting for a place, reading the prompt, writing the answer."""

    queue_s: float
    prefill_s: float
    decode_s: float
    first_token_s: float
    """From submit to the first token; 0 where none came."""


@dataclass(frozen=True, slots=True)
class TokenChoice:
    """A token, as bytes, with the natural logarithm of its probability, and what else it could have been."""

    token: bytes
    logprob: float
    others: tuple[tuple[bytes, float], ...] = ()
    """The likeliest tokens, the chosen one among them, the likeliest first."""
    id: int = field(default=-1, compare=False)
    other_ids: tuple[int, ...] = field(default=(), compare=False)
    """Numbers of `token` and `others` in the vocabulary."""


@dataclass(frozen=True, slots=True)
class Started:
    n_prompt: int
    n_cached: int
    prompt: tuple[TokenChoice, ...] = ()
    """Where `prompt_logprobs` was asked for: the prompt's tokens, the first with a logprob of 0."""
    not_enforced: tuple[str, ...] = ()
    """Keywords of the request's schemas that the answer may break, each with its place."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """`text` is never empty and never ends within a character; `n_tokens` were sampled for it."""

    text: str
    n_tokens: int = 0
    choices: tuple[TokenChoice, ...] = ()
    """Where `n_logprobs` was asked for: those tokens."""


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """What the model thinks before it answers; like TextDelta otherwise."""

    text: str
    n_tokens: int = 0


@dataclass(frozen=True, slots=True)
class ToolCallStarted:
    """The model begins a tool call; `index` counts the calls of one answer from 0."""

    index: int
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """More of that call's `arguments`, JSON text."""

    index: int
    arguments: str


@dataclass(frozen=True, slots=True)
class Finished:
    reason: FinishReason
    usage: Usage
    timings: Timings
    stop_string: str | None = None
    """Where one of the request's stop strings ended the answer: that one."""


@dataclass(frozen=True, slots=True)
class Failed:
    error: EngineError


@dataclass(frozen=True, slots=True)
class Embeddings:
    """The answer to an EmbedRequest: a vector of length 1 for each input, in their order."""

    vectors: tuple[tuple[float, ...], ...]
    n_prompt: int
    """Tokens of all inputs together."""


Event = Started | TextDelta | ReasoningDelta | ToolCallStarted | ToolCallDelta | Finished | Failed


@dataclass(frozen=True, slots=True)
class KvUsage:
    """The `share` of the KV memory that holds what was read for one chat of the window, or one key of the endpoint."""

    origin: Literal["window", "endpoint"]
    owner: str
    share: float


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """Bytes. `available` is what the machine had free before the model was loaded."""

    weights_bytes: int
    kv_bytes: int
    """The KV cache, or the running states, of all sequences."""
    compute_bytes: int
    """What one decode needs in between, and its logits."""
    available: int
    other_bytes: int = 0
    """The vocabulary, and what llama.cpp keeps for itself."""

    @property
    def needed(self) -> int:
        return self.weights_bytes + self.kv_bytes + self.compute_bytes + self.other_bytes

    @property
    def headroom(self) -> int:
        """Negative where it does not fit."""
        return self.available - self.needed


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """The loaded model. `id` is what tools call it: the file's name without path and ending."""

    id: str
    name: str
    path: Path
    size_bytes: int
    n_ctx: int
    n_ctx_train: int
    kv_bytes: int
    loaded_at: float
    """Unix time."""
    memory: MemoryEstimate | None = None
    """What it takes, as foreseen before it was loaded."""
    n_ctx_wanted: int = 0
    """More than `n_ctx` where the context was made shorter, since memory is short; else 0."""


@dataclass(frozen=True, slots=True)
class EmbedderInfo:
    """The embedding model beside the chat model."""

    id: str
    path: Path
    size_bytes: int
    n_ctx: int
    n_dimensions: int


@dataclass(frozen=True, slots=True)
class ModelProps:
    """What tools ask about the loaded model: its template, the first and last token as text, how many requests run
    side by side, and whether it can fill a gap in a text."""

    chat_template: str
    bos: str
    eos: str
    n_running: int
    supports_fim: bool


@dataclass(frozen=True, slots=True)
class Status:
    """Where the engine stands. `progress` 0..1 while loading; `error` after a failed load or a native failure."""

    state: Literal["empty", "loading", "ready", "dead", "closed"]
    model: ModelInfo | None = None
    progress: float = 0.0
    error: EngineError | None = None
    embedder: EmbedderInfo | None = None
    """Filled in by the board, whatever the chat model's state."""

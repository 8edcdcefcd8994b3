"""Sequences of tokens that the scheduler runs, and the batch plan of one step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from engine.adapter import AdapterScales
from engine.backend import Chunk
from engine.kv_memory import CachedPrefix, KvOp
from engine.priority import Priority

WaitReason = Literal["preparation", "snapshot", "slot", "shared_prompt", "other_prompts"]
"""What a request waits for. "preparation": its prompt is being rendered and tokenized. "snapshot": its KV snapshot is
being read from disk. "slot": there is no free slot or KV memory. "shared_prompt": another request is computing a prompt
with the same beginning. "other_prompts": other prompts are computed first."""

MAX_RETOKENIZED = 4
"""A word of the answer whose tokens were replaced (see `Scheduler.retokenize`) is computed as a decode step if it has
at most this many tokens. A longer one is computed like a prompt."""


@dataclass(slots=True, eq=False)
class SequenceState:
    """A sequence: the tokens of the prompt, followed by those of the answer.

    It has no separate prefill and decode phases. Steps increase `n_computed` up to the length of `tokens`; then the
    next token is sampled."""

    id: str
    priority: Priority
    prompt: tuple[int, ...]
    max_tokens: int
    """Maximum number of sampled tokens, at least 1."""
    needs_all_logits: bool = False
    """Whether every token of the prompt needs logits. If so, no prompt token is taken from the cache."""
    owner: str = ""
    is_deterministic: bool = False
    """Whether sampling is greedy or seeded. The same prompt must then give the same answer, cached or not."""
    max_recomputed: int | None = None
    """Maximum number of cached tokens that a deterministic sequence that runs alone computes again because their KV
    state is not exact (see `engine.kv_memory.Exactness`). If there are more, it reuses all. None means no limit."""
    n_recomputed: int = 0
    """Number of leading tokens that were cached at its admission, if it computes some of them again for that reason."""
    uses_cache: bool = True
    """Whether prompt tokens may be taken from the cache. If not, every one is computed."""
    adapter_scales: AdapterScales = ()
    arrival: int = 0
    deadline: int = 0
    """The second part of the sort key. The docstring of `order` explains it."""
    inherited_order: tuple[int, int, int] | None = None
    """The lowest `order` among the sequences that wait until this one's prompt is computed."""
    tokens: list[int] = field(init=False)
    draft: list[int] = field(default_factory=list)
    """Tokens that are likely to follow `tokens`. The next step verifies them, as far as there is room. They must not be
    set before the first token is sampled, nor without full rollback."""
    n_output: int = 0
    """Number of sampled tokens. After retokenization, `tokens` can hold fewer answer tokens."""
    n_computed: int = 0
    n_cached: int = 0
    """Number of prompt tokens that were cached when the sequence was first admitted."""
    was_admitted: bool = False
    checkpoint_lengths: list[int] = field(default_factory=list)
    """Lengths, in ascending order, at which a copy of the prefix is kept for other requests. Set when the sequence is
    admitted. Used only without full rollback."""
    prefix: CachedPrefix | None = None
    """The sequence's KV memory; None while the sequence waits."""
    was_interrupted: bool = False
    """Whether the last decode with tokens of the sequence was interrupted."""
    waits_for: WaitReason | None = "slot"
    """Why the last plan computed no token of the sequence; None if it computed some."""

    def __post_init__(self) -> None:
        self.tokens = list(self.prompt)

    @property
    def n_pending(self) -> int:
        """Number of tokens to compute before the next one can be sampled."""
        return len(self.tokens) - self.n_computed

    @property
    def is_decoding(self) -> bool:
        """Whether the sequence's next step computes a single token, or the few tokens of a retokenized word."""
        return self.n_pending == 1 or (self.n_computed >= len(self.prompt) and self.n_pending <= MAX_RETOKENIZED)

    @property
    def n_to_prefill(self) -> int:
        """Number of pending tokens up to the next checkpoint length."""
        return min([self.n_pending, *(n - self.n_computed for n in self.checkpoint_lengths[:1])])

    def n_to_prefill_alone(self, cut: int, n_max: int) -> int:
        """Number of prompt tokens in the next step of a sequence that runs alone: at most `n_max` up to a multiple of
        `cut`, or those after the last multiple. The last token is computed separately, because it is computed alone if
        all tokens before it are cached: rounding depends on where a prompt is cut."""
        n_whole = (self.n_computed + min(n_max, self.n_pending - 1)) // cut * cut - self.n_computed
        return max(1, min(n_whole if n_whole > 0 else self.n_pending - 1, n_max, self.n_to_prefill))

    @property
    def recomputes(self) -> bool:
        """Whether the sequence would have more computed tokens if it had reused all cached ones, by far."""
        return self.n_recomputed > 2 * self.n_computed

    @property
    def order(self) -> tuple[int, int, int]:
        """Sort key: priority, then deadline, then arrival.

        The deadline counts the prompt tokens that were computed for all sequences before this one arrived, plus this
        sequence's own tokens to compute. So short prompts overtake a long one, but delay it by at most its own
        length."""
        return (self.priority, self.deadline, self.arrival)

    @property
    def prefill_order(self) -> tuple[int, int, int]:
        return self.order if self.inherited_order is None else min(self.order, self.inherited_order)


@dataclass(frozen=True, slots=True)
class BatchEntry:
    """One sequence's part of a step. `last_row` is the index of the part's last token in the batch."""

    sequence: SequenceState
    chunk: Chunk
    last_row: int
    is_decoding: bool

    @property
    def draft(self) -> Sequence[int]:
        """The draft tokens at the end of the chunk."""
        return self.chunk.tokens[len(self.chunk.tokens) - self.chunk.n_drafted :]

    @property
    def n_certain(self) -> int:
        """Number of the chunk's tokens that belong to the sequence in any case: all except the draft tokens."""
        return len(self.chunk.tokens) - self.chunk.n_drafted

    @property
    def first_sampled_row(self) -> int:
        """Index, in the batch, of the token after which the first token is sampled."""
        return self.last_row - self.chunk.n_drafted


@dataclass(frozen=True)
class BatchPlan:
    """The plan of one decode: KV memory operations, which are executed first and in order, and entries, which are
    decoded. At least one token is sampled for each entry whose chunk has `sample_last`."""

    ops: tuple[KvOp, ...]
    entries: tuple[BatchEntry, ...]
    is_alone: bool = False
    """Whether only one sequence runs, and KV memory contains no other cells than its own, which are the first ones."""

    @cached_property
    def n_tokens(self) -> int:
        return sum(len(entry.chunk.tokens) for entry in self.entries)

    @cached_property
    def n_drafted(self) -> int:
        return sum(entry.chunk.n_drafted for entry in self.entries)

    @cached_property
    def n_prompt_tokens(self) -> int:
        return sum(len(entry.chunk.tokens) for entry in self.entries if not entry.is_decoding)

"""Sequences of tokens that the scheduler runs, and the batch plan of one step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from engine.backend import Chunk
from engine.events import FinishReason
from engine.kv_memory import CachedPrefix, KvOp
from engine.priority import Priority

WaitReason = Literal["preparation", "snapshot", "slot", "shared_prompt", "other_prompts"]
"""What a request waits for: rendering and tokenisation of its prompt; its KV state, which is read from disk; a slot or
free KV memory; the end of another request's prompt with the same beginning; prompts that are computed first."""

MAX_RETOKENIZED = 4
"""Up to this number, the tokens of a retokenized word are computed as a decode step; more are prefilled."""


@dataclass(slots=True, eq=False)
class SequenceState:
    """Tokens of the prompt followed by those of the answer. There is no prefill or decode phase: `n_computed` catches
    up with `tokens`, and whenever it has, the next token is sampled."""

    id: str
    priority: Priority
    prompt: tuple[int, ...]
    max_tokens: int
    """Limit for the answer, at least 1."""
    needs_all_logits: bool = False
    """Whether every token of the prompt needs logits; then none comes from the cache."""
    owner: str = ""
    is_deterministic: bool = False
    """Greedy or seeded: the same prompt must give the same answer, cached or not."""
    uses_cache: bool = True
    """False: every token of the prompt is computed."""
    arrival: int = 0
    deadline: int = 0
    """See `order`."""
    inherited_order: tuple[int, int, int] | None = None
    """The lowest `order` of the sequences that wait for this one's prompt."""
    tokens: list[int] = field(init=False)
    n_output: int = 0
    """Number of sampled tokens; `tokens` can hold fewer after retokenization."""
    n_computed: int = 0
    n_cached: int = 0
    """Number of prompt tokens that were cached at the first admission."""
    was_admitted: bool = False
    checkpoint_lengths: list[int] = field(default_factory=list)
    """Ascending lengths at which a copy is kept for other requests; only without full rollback."""
    prefix: CachedPrefix | None = None
    """Its KV memory; None while it waits."""
    waits_for: WaitReason | None = "slot"
    """Why the last plan computed none of its tokens; None if it did."""

    def __post_init__(self) -> None:
        self.tokens = list(self.prompt)

    @property
    def n_pending(self) -> int:
        """Number of tokens to compute before the next one can be sampled."""
        return len(self.tokens) - self.n_computed

    @property
    def is_decoding(self) -> bool:
        """Whether its next step computes a single token, or the few of a retokenized word."""
        return self.n_pending == 1 or (self.n_computed >= len(self.prompt) and self.n_pending <= MAX_RETOKENIZED)

    @property
    def n_to_prefill(self) -> int:
        """Number of pending tokens up to the next checkpoint.

        The last prompt token of a deterministic sequence is a step of its own, as it is after a cache hit: steps of
        other sizes round differently."""
        n = min([self.n_pending, *(n - self.n_computed for n in self.checkpoint_lengths[:1])])
        if self.is_deterministic and n == self.n_pending > 1 and self.n_computed < len(self.prompt):
            return n - 1
        return n

    @property
    def order(self) -> tuple[int, int, int]:
        """Sort key: priority, then deadline, then arrival.

        The deadline is the number of prompt tokens computed for anyone before the sequence arrived, plus its own number
        of tokens to compute. So short prompts overtake long ones, but at most by the length of the long one."""
        return (self.priority, self.deadline, self.arrival)

    @property
    def prefill_order(self) -> tuple[int, int, int]:
        return self.order if self.inherited_order is None else min(self.order, self.inherited_order)


@dataclass(frozen=True, slots=True)
class BatchEntry:
    """One sequence's share of a step. `last_row` is the index of its last token in the batch."""

    sequence: SequenceState
    chunk: Chunk
    last_row: int
    is_decoding: bool


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """One decode: first the KV memory operations in order, then the entries. Samples a token for each entry whose chunk
    has `sample_last`."""

    ops: tuple[KvOp, ...]
    entries: tuple[BatchEntry, ...]

    @property
    def n_tokens(self) -> int:
        return sum(len(entry.chunk.tokens) for entry in self.entries)

    @property
    def n_prompt_tokens(self) -> int:
        return sum(len(entry.chunk.tokens) for entry in self.entries if not entry.is_decoding)


@dataclass(frozen=True, slots=True)
class SampledToken:
    """A token sampled for a sequence. `finish` is set on its last token; "stop" means an end-of-generation token, which
    is not part of the answer's text."""

    sequence: SequenceState
    token: int
    finish: FinishReason | None

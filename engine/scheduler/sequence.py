"""A request being processed, as the scheduler sees it: tokens, and how many of them are computed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from engine.kv_cache.prefix_cache import CachedPrefix

WaitReason = Literal["preparation", "snapshot", "slot", "shared_prompt", "other_prompts"]
"""What a request waits for: its prompt is being rendered and tokenised; its KV state is being read from disk; a slot
or room in the KV memory; the end of another request's prompt that begins alike; other prompts that are read first."""

MAX_RETOKENIZED = 4
"""So many tokens of a word spelled anew are computed like a written one; more are read like a prompt."""


@dataclass(slots=True, eq=False)
class Sequence:
    """Tokens of the prompt, then of the answer. `prefix` is its place in the KV memory, None while it waits.

    There is no prefill or decode phase: `n_computed` catches up with `tokens`, and whenever it has, the next
    token is sampled."""

    id: str
    priority: int
    prompt: tuple[int, ...]
    max_tokens: int
    """At most this many tokens of answer, at least 1."""
    needs_all_logits: bool = False
    """Whether every token of the prompt needs its logits; then none may come from a cache."""
    owner: str = ""
    is_deterministic: bool = False
    """Whether the same prompt must give the same answer, cached or not: greedy or seeded."""
    uses_cache: bool = True
    """False: every token of the prompt is computed anew."""
    arrival: int = 0
    deadline: int = 0
    """Position in the order within a priority; see `order`."""
    inherited_order: tuple[int, int, int] | None = None
    """The order of a sequence that waits for this one's prompt, where it goes before this one's own."""
    tokens: list[int] = field(init=False)
    n_output: int = 0
    """Tokens that were sampled; those kept of them are fewer where they were spelled anew."""
    n_computed: int = 0
    n_cached: int = 0
    """So many tokens of the prompt were found computed when it first ran."""
    has_run: bool = False
    checkpoint_lengths: list[int] = field(default_factory=list)
    """Numbers of tokens, rising, at which what is computed is kept for others, where memory cannot go back."""
    prefix: CachedPrefix | None = None
    waits_for: WaitReason | None = "slot"
    """Why the last plan gave it no tokens; None where it did."""

    def __post_init__(self) -> None:
        self.tokens = list(self.prompt)

    @property
    def n_pending(self) -> int:
        """Tokens that must be computed before the next one can be sampled."""
        return len(self.tokens) - self.n_computed

    @property
    def writes(self) -> bool:
        """Whether its next step is one of writing: of a single token, or of the few of a word spelled anew."""
        return self.n_pending == 1 or (self.n_computed >= len(self.prompt) and self.n_pending <= MAX_RETOKENIZED)

    @property
    def n_to_prefill(self) -> int:
        """The pending ones, up to where a copy is kept.

        The last token of a repeatable prompt is a step of its own: so it is after a cache hit, and steps of other
        sizes round differently."""
        n = min([self.n_pending, *(n - self.n_computed for n in self.checkpoint_lengths[:1])])
        if self.is_deterministic and n == self.n_pending > 1 and self.n_computed < len(self.prompt):
            return n - 1
        return n

    @property
    def order(self) -> tuple[int, int, int]:
        """The window before the endpoint. Within a priority short prompts before long ones: the deadline is the
        number of
        tokens to read plus all that were read for anyone before it came. So a long prompt is overtaken for at most its
        own length of other prompts. With equal deadlines, first come first served."""
        return (self.priority, self.deadline, self.arrival)

    @property
    def prefill_order(self) -> tuple[int, int, int]:
        return self.order if self.inherited_order is None else min(self.order, self.inherited_order)

"""A request being processed, as the scheduler sees it: tokens, and how many of them are computed."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.requests import Door


@dataclass(slots=True, eq=False)
class Sequence:
    """Tokens of the prompt, then of the answer. `slot` is None while it waits.

    There is no prefill or decode phase: `n_computed` catches up with `tokens`, and whenever it has, the next
    token is sampled."""

    id: str
    door: Door
    prompt: tuple[int, ...]
    max_tokens: int
    """At most this many tokens of answer, at least 1."""
    arrival: int = 0
    tokens: list[int] = field(init=False)
    n_computed: int = 0
    slot: int | None = None

    def __post_init__(self) -> None:
        self.tokens = list(self.prompt)

    @property
    def n_output(self) -> int:
        return len(self.tokens) - len(self.prompt)

    @property
    def n_pending(self) -> int:
        """Tokens that must be computed before the next one can be sampled."""
        return len(self.tokens) - self.n_computed

    @property
    def rank(self) -> tuple[int, int]:
        """The window before the endpoint; within a door, first come first served."""
        return (0 if self.door == "window" else 1, self.arrival)

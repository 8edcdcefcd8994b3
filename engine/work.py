"""One running request, as the native thread holds it."""

from __future__ import annotations

from engine.backend import Backend, Sampler
from engine.events import Event, Started, TextDelta, TokenChoice
from engine.output.assembler import TextAssembler
from engine.output.scores import log_softmax, token_choice
from engine.schedule.sequence import Sequence
from engine.ticket import Ticket


class Work:
    """Joins a ticket with its sequence, sampler and text. Native thread only."""

    def __init__(self, ticket: Ticket, sequence: Sequence, sampler: Sampler) -> None:
        self.ticket = ticket
        self.sequence = sequence
        self.sampler = sampler
        self.text = TextAssembler(ticket.request.stop)
        self.guide = ticket.guide
        self._n_unsaid = 0
        self._choices: list[TokenChoice] = []
        self._prompt: list[TokenChoice] = []

    def sample(self, backend: Backend, row: int) -> int:
        """The next token, from the logits of `row`. Raises ConstraintError where the constraint cannot be kept.

        Log probabilities are the model's own, before the constraint: they say what it would have preferred."""
        request = self.ticket.request
        n_logprobs = request.n_logprobs
        logprobs = None if n_logprobs is None else log_softmax(backend.logits(row))
        token = self._guided(backend, row)
        if logprobs is not None and n_logprobs is not None:
            self._choices.append(token_choice(logprobs, token, n_logprobs, backend.piece))
        return token

    def _guided(self, backend: Backend, row: int) -> int:
        ends = backend.vocabulary.ends
        token = None if self.guide is None else self.guide.restrict(backend.logits(row), ends)
        if token is None:
            if self.sequence.n_output < self.ticket.request.min_tokens:
                backend.logits(row)[list(ends)] = float("-inf")
            token = self.sampler.sample(row)
        if self.guide is not None:
            self.guide.accept(token)
        return token

    @property
    def is_complete(self) -> bool:
        """Whether the answer's constraint lets nothing follow."""
        return self.guide is not None and self.guide.is_done

    def score_prompt(self, backend: Backend, first_row: int, start: int, n: int) -> None:
        """Takes the log probabilities of the prompt's tokens from a chunk of `n` tokens that begins at `start`."""
        prompt, n_others = self.sequence.prompt, self.ticket.request.n_logprobs or 0
        if start == 0:
            self._prompt.append(TokenChoice(backend.piece(prompt[0]), 0.0))
        for at in range(start, min(start + n, len(prompt) - 1)):
            logprobs = log_softmax(backend.logits(first_row + at - start))
            self._prompt.append(token_choice(logprobs, prompt[at + 1], n_others, backend.piece))

    def began(self, now: float) -> list[Event]:
        """`Started`, once, when the first token is known."""
        if self.ticket.first_token_at is not None:
            return []
        self.ticket.first_token_at = now
        return [Started(len(self.sequence.prompt), self.ticket.n_cached, tuple(self._prompt))]

    def count_token(self) -> None:
        self.ticket.n_output += 1
        self._n_unsaid += 1

    def delta(self, text: str) -> list[Event]:
        """`text` as an event, with the tokens that were sampled since the last one."""
        if not text:
            return []
        event = TextDelta(text, self._n_unsaid, tuple(self._choices))
        self._n_unsaid = 0
        self._choices.clear()
        return [event]

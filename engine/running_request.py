"""One running request, as the native thread holds it."""

from __future__ import annotations

from engine.backend import Backend, Sampler
from engine.events import Event, FinishReason, Started, TokenChoice
from engine.output.answer_assembler import AnswerAssembler
from engine.output.constraints.grammar_constraint import GrammarConstraint
from engine.output.logprobs import log_softmax, token_choice
from engine.output.retokenizer import Retokenizer
from engine.request_state import RequestState
from engine.scheduler.sequence import Sequence


class RunningRequest:
    """Joins a state with its sequence, sampler and answer. Native thread only."""

    def __init__(
        self, state: RequestState, sequence: Sequence, sampler: Sampler, spelling: Retokenizer | None = None
    ) -> None:
        self.state = state
        self.sequence = sequence
        self.sampler = sampler
        self._parser_config = state.parser_config
        self._grammar = state.grammar_constraint
        self._answer = AnswerAssembler(state.request.stop, state.parser_config)
        self._choice: TokenChoice | None = None
        self._prompt: list[TokenChoice] = []
        self._spelling = spelling
        self.retokenized: tuple[int, list[int]] | None = None
        """What the next step puts right: from which token of the sequence on, and the tokens to have there."""

    def sample(self, backend: Backend, row: int) -> int:
        """The next token, from the logits of `row`. Raises ConstraintError where the constraint cannot be kept.

        Log probabilities are the model's own, before the constraint: they say what it would have preferred."""
        n_logprobs = self.state.request.n_logprobs
        logprobs = None if n_logprobs is None else log_softmax(backend.logits(row))
        token = self._unguided(backend, row) if self._grammar is None else self._guided(self._grammar, backend, row)
        if logprobs is not None and n_logprobs is not None:
            self._choice = token_choice(logprobs, token, n_logprobs, backend.piece)
        return token

    def _unguided(self, backend: Backend, row: int) -> int:
        if self.sequence.n_output < self.state.request.min_tokens:
            own_ends = self._parser_config.eog_tokens if self._parser_config else frozenset()
            backend.logits(row)[list(backend.vocabulary.ends | own_ends)] = float("-inf")
        return self.sampler.sample(row)

    def _guided(self, grammar_constraint: GrammarConstraint, backend: Backend, row: int) -> int:
        logits, opener = backend.logits(row), self._thought_opener()
        kept = None if opener is None else logits[opener].item()
        end = grammar_constraint.restrict(logits, backend.vocabulary.ends)
        if opener is not None:
            logits[opener] = kept
        token = self._unguided(backend, row) if end is None else end
        if token == opener:
            grammar_constraint.pause()
        else:
            grammar_constraint.accept(token)
        return token

    def _thought_opener(self) -> int | None:
        """The token with which the model may think before a constrained answer."""
        if (
            self.sequence.n_output
            or self._parser_config is None
            or self._grammar is None
            or not self._grammar.applies_to_answer
        ):
            return None
        return None if self._parser_config.answer_prefix else self._parser_config.reasoning_token

    def score_prompt(self, backend: Backend, first_row: int, start: int, n: int) -> None:
        """Takes the log probabilities of the prompt's tokens from a chunk of `n` tokens that begins at `start`."""
        prompt, n_others = self.sequence.prompt, self.state.request.n_logprobs or 0
        if start == 0:
            self._prompt.append(TokenChoice(backend.piece(prompt[0]), 0.0, id=prompt[0]))
        for at in range(start, min(start + n, len(prompt) - 1)):
            logprobs = log_softmax(backend.logits(first_row + at - start))
            self._prompt.append(token_choice(logprobs, prompt[at + 1], n_others, backend.piece))

    def began(self, now: float) -> list[Event]:
        """`Started`, once, when the first token is known."""
        if self.state.first_token_at is not None:
            return []
        self.state.first_token_at = now
        not_enforced = self._grammar.not_enforced if self._grammar else ()
        return [Started(len(self.sequence.prompt), self.state.n_cached, tuple(self._prompt), not_enforced)]

    def hear(
        self, backend: Backend, token: int, finish: FinishReason | None
    ) -> tuple[list[Event], FinishReason | None]:
        """What the sampled token says, and why the answer ends with it, if it does. `finish` is the scheduler's word:
        "stop" for an end token."""
        self.state.n_output += 1
        config = self._parser_config
        is_end = finish == "stop" or (config is not None and token in config.eog_tokens)
        piece = config.marker_bytes.get(token) if config else None
        events, stopped = self._answer.feed(b"" if is_end else piece or backend.piece(token), self._choice)
        if self._grammar is not None:
            self._steer(self._grammar, token)
        if self._spelling is not None:
            self.retokenized = self._spelling.retokenize(self.sequence.tokens)
        ended = is_end or (self._grammar is not None and self._grammar.is_done)
        if (ended or finish) and not stopped:
            events += self._answer.flush(cut=not ended)
        self.state.stop_string = self._answer.stop_string
        if ended or stopped or self.state.stop_string is not None:
            finish = "tool_calls" if self._answer.n_calls else "stop"
        return events, finish

    def _steer(self, grammar_constraint: GrammarConstraint, token: int) -> None:
        """Lets a waiting grammar_constraint begin: with the marker of a call, or, for a constraint, with the answer
        itself."""
        begins = grammar_constraint.applies_to_answer or (
            self._parser_config is not None and token == self._parser_config.call_token
        )
        if begins and grammar_constraint.paused and self._answer.in_answer:
            grammar_constraint.start()

    def rest(self) -> list[Event]:
        """What was held back, when the answer is cut off."""
        return self._answer.flush(cut=True)

"""A request that the scheduler runs: samples its tokens and parses its answer."""

from __future__ import annotations

from collections.abc import Callable

from engine.backend import Backend, Sampler
from engine.events import DraftKind, Event, FinishReason, Started, TokenChoice
from engine.output.answer_assembler import AnswerAssembler
from engine.output.constraints.grammar_constraint import GrammarConstraint
from engine.output.logprobs import log_softmax, token_choice
from engine.output.retokenizer import Retokenizer
from engine.request_state import RequestState
from engine.scheduler.sequence import SequenceState
from engine.speculation.model_drafter import ModelDrafter
from engine.speculation.ngram_drafter import NgramDrafter


class RunningRequest:
    """A request that the scheduler runs, with its sampler, constraint and answer. Used only on the native thread, the
    one that decodes."""

    def __init__(
        self,
        state: RequestState,
        sequence: SequenceState,
        sampler: Sampler,
        retokenizer: Retokenizer | None = None,
        drafter: NgramDrafter | None = None,
        model_drafter: ModelDrafter | None = None,
    ) -> None:
        self.state = state
        self.sequence = sequence
        self.sampler = sampler
        self._parser_config = state.parser_config
        self._constraint = state.grammar_constraint
        self._answer = AnswerAssembler(state.request.stop, state.parser_config)
        self._choice: TokenChoice | None = None
        self._prompt_choices: list[TokenChoice] = []
        self._retokenizer = retokenizer
        self._drafter = drafter
        self._model_drafter = model_drafter
        self._draft_kind: DraftKind = "ngram"
        """What proposed the draft of the sequence."""
        self.retokenized: tuple[int, list[int]] | None = None
        """Arguments for `Scheduler.retokenize`, which is called before the next step: the index of the first token to
        replace, and the replacement tokens. None if no token is to be replaced."""

    def propose_draft(self, cost: Callable[[int], float] | None, model_token_cost: float | None = None) -> int:
        """Sets the draft of the sequence for the next step, if the sequence is decoding its answer. `cost` is as in
        `NgramDrafter.propose`, `model_token_cost` as in `ModelDrafter.choose`.

        If the request's own text predicts nothing, returns the number of tokens that the draft model shall draft."""
        self._draft_kind = "ngram"
        if not (self.sequence.n_output and self.sequence.is_decoding):
            return 0
        if self._drafter is not None:
            self.sequence.draft = self._drafter.propose(self.sequence.tokens, cost)
        if self._model_drafter is None or self.sequence.draft:
            return 0
        n = self._model_drafter.choose(len(self.sequence.tokens), cost, model_token_cost)
        return max(0, min(n, self.sequence.max_tokens - self.sequence.n_output - 1))

    def set_model_draft(self, draft: list[int]) -> None:
        """Sets the draft of the sequence to the tokens that the draft model proposes."""
        assert self._model_drafter is not None
        self.sequence.draft = draft
        self._draft_kind = self._model_drafter.kind

    def forget_tokens(self, start: int) -> None:
        """Call this before the sequence's tokens from index `start` on are replaced."""
        if self._drafter is not None:
            self._drafter.truncate(self.sequence.tokens, start)

    def record_draft(self, n_drafted: int, n_accepted: int, *, is_rejected: bool) -> None:
        """Records how many draft tokens a step verified, and how many of them were sampled again. `is_rejected`: the
        next token differed from the draft; otherwise sampling ended for another reason."""
        drafter = self._drafter if self._draft_kind == "ngram" else self._model_drafter
        if drafter is not None and n_drafted:
            drafter.record(n_drafted, n_accepted, is_rejected=is_rejected)
            self.state.count_draft(self._draft_kind, n_drafted, n_accepted)

    def sample(self, backend: Backend, row: int) -> int:
        """Samples the next token from the logits of `row`: the index of a token in the last decode. Raises
        ConstraintError if no token fits the constraint.

        Requested log probabilities are those of the model, before the constraint is applied."""
        n_logprobs = self.state.request.n_logprobs
        logprobs = None if n_logprobs is None else log_softmax(backend.logits(row))
        if self._constraint is None:
            token = self._sample_unconstrained(backend, row)
        else:
            token = self._sample_constrained(self._constraint, backend, row)
        if logprobs is not None and n_logprobs is not None:
            self._choice = token_choice(logprobs, token, n_logprobs, backend.piece)
        return token

    def _sample_unconstrained(self, backend: Backend, row: int) -> int:
        if self.sequence.n_output < self.state.request.min_tokens:
            format_ends = self._parser_config.eog_tokens if self._parser_config else frozenset()
            backend.logits(row)[list(backend.vocabulary.eog_tokens | format_ends)] = float("-inf")
        return self.sampler.sample(row)

    def _sample_constrained(self, constraint: GrammarConstraint, backend: Backend, row: int) -> int:
        logits, opener = backend.logits(row), self._reasoning_opener()
        opener_logit = None if opener is None else logits[opener].item()
        end = constraint.restrict(logits, backend.vocabulary.eog_tokens)
        if opener is not None:
            logits[opener] = opener_logit
        token = self._sample_unconstrained(backend, row) if end is None else end
        if token == opener:
            constraint.pause()
        else:
            constraint.accept(token)
        return token

    def _reasoning_opener(self) -> int | None:
        """Returns the token that begins reasoning, if a constrained answer has no token yet and may be preceded by
        reasoning. Otherwise returns None."""
        config = self._parser_config
        if (
            self.sequence.n_output
            or config is None
            or self._constraint is None
            or not self._constraint.applies_to_answer
        ):
            return None
        return None if config.answer_prefix else config.reasoning_token

    def add_prompt_logprobs(self, backend: Backend, first_row: int, start: int, n: int) -> None:
        """Records log probabilities of prompt tokens from a decoded chunk of `n` tokens. The chunk's first token has
        the index `start` in the prompt, and its logits have the row `first_row`."""
        prompt, n_others = self.sequence.prompt, self.state.request.n_logprobs or 0
        if start == 0:
            self._prompt_choices.append(TokenChoice(backend.piece(prompt[0]), 0.0, id=prompt[0]))
        for at in range(start, min(start + n, len(prompt) - 1)):
            logprobs = log_softmax(backend.logits(first_row + at - start))
            self._prompt_choices.append(token_choice(logprobs, prompt[at + 1], n_others, backend.piece))

    def accept(
        self, backend: Backend, token: int, finish: FinishReason | None, now: float
    ) -> tuple[list[Event], FinishReason | None]:
        """Adds a sampled token to the answer. Returns the events that follow, and the finish reason if the answer ends.

        `finish` is the finish reason that the scheduler gives for this token; "stop" means an end-of-generation
        token."""
        events = self._started(now)
        self.state.n_output += 1
        config = self._parser_config
        is_end = finish == "stop" or (config is not None and token in config.eog_tokens)
        piece = config.marker_bytes.get(token) if config else None
        deltas, stopped = self._answer.feed(b"" if is_end else piece or backend.piece(token), self._choice)
        events += deltas
        if self._constraint is not None:
            self._begin_constraint(self._constraint, token)
        if self._retokenizer is not None:
            self.retokenized = self._retokenizer.retokenize(self.sequence.tokens)
        ended = is_end or (self._constraint is not None and self._constraint.is_done)
        if (ended or finish) and not stopped:
            events += self._answer.flush(cut=not ended)
        self.state.stop_string = self._answer.stop_string
        if ended or stopped or self.state.stop_string is not None:
            finish = "tool_calls" if self._answer.n_calls else "stop"
        return events, finish

    def flush(self) -> list[Event]:
        """Returns the events for text that is still held back. Called when the answer is cut off."""
        return self._answer.flush(cut=True)

    def _started(self, now: float) -> list[Event]:
        """Returns `Started` with the first token of the answer, and no event with later ones."""
        if self.state.first_token_at is not None:
            return []
        self.state.first_token_at = now
        not_enforced = self._constraint.not_enforced if self._constraint else ()
        return [Started(len(self.sequence.prompt), self.state.n_cached, tuple(self._prompt_choices), not_enforced)]

    def _begin_constraint(self, constraint: GrammarConstraint, token: int) -> None:
        """Starts the constraint at the token where it begins to apply: at the marker of a tool call, or at the
        beginning of the answer."""
        config = self._parser_config
        applies = constraint.applies_to_answer or (config is not None and token == config.call_token)
        if applies and constraint.paused and self._answer.in_answer:
            constraint.start()

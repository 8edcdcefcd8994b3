"""What an answer must match: a constraint, compiled for one model's tokens, and where in it an answer stands.

llguidance does the work: it compiles in about a millisecond and says in 0.02 ms which tokens may come next.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from llguidance import LLMatcher, LLParserLimits, LLTokenizer
from numpy.typing import NDArray

from engine.errors import ConstraintError
from engine.output.constraints.constraint_grammar import grammar_text, relaxed_constraint
from engine.output.constraints.tool_call_grammar import ToolCallGrammar
from engine.requests import Constraint

_LIMITS = LLParserLimits(
    initial_lexer_fuel=500_000,
    step_lexer_fuel=50_000,  # with 200,000 one hostile mask takes 1.9 s, with this 0.1 s
    step_max_items=50_000,
    max_items_in_row=20_000,  # an object with 500 optional properties needs 2,007
    max_lexer_states=20_000,  # 1 to 2 kB each
    verbose_errors=False,
)
"""llguidance's own counters, per constraint and per token."""

SPENT_AT_ONCE_S = 0.5
SPENT_PER_TOKEN_S = 0.005
"""Computing time that an answer's masks may take. Every other answer waits meanwhile."""

_MAX_REASON_CHARS = 300

Mask = NDArray[np.uint32]
"""One bit for each token of the vocabulary, the lowest first; 1 for those that may come next."""


def compile_constraint(constraint: Constraint | ToolCallGrammar, tokenizer: LLTokenizer) -> CompiledConstraint:
    """Raises ConstraintError for what cannot be enforced to the letter, unless the constraint is not strict.

    Any thread; releases the GIL. It recurses as deep as the constraint does: without a large stack (see
    `constraint_cache`) a hostile one overflows it."""
    if isinstance(constraint, ToolCallGrammar):
        return _compile_calls(constraint, tokenizer)
    try:
        return _compile(constraint, tokenizer)
    except ConstraintError:
        part, left_out = relaxed_constraint(constraint)
        if not left_out:
            raise
        return _compile(part, tokenizer, left_out)


def _compile_calls(grammar: ToolCallGrammar, tokenizer: LLTokenizer) -> CompiledConstraint:
    if grammar.answer is None:
        return _compile(grammar, tokenizer, grammar.left_out)
    try:
        return _compile(grammar, tokenizer, grammar.left_out)
    except ConstraintError:
        part, left_out = relaxed_constraint(grammar.answer)
        if not left_out:
            raise
        return _compile(replace(grammar, answer=part), tokenizer, grammar.left_out + left_out)


def _compile(
    constraint: Constraint | ToolCallGrammar, tokenizer: LLTokenizer, left_out: tuple[str, ...] = ()
) -> CompiledConstraint:
    matcher = LLMatcher(tokenizer, grammar_text(constraint), log_level=0, limits=_LIMITS)
    _raise_if_broken(matcher)
    if warnings := matcher.get_grammar_warnings():
        raise ConstraintError(_shortened(warnings[0]))
    matcher.compute_bitmask()  # finds out whether there is any text at all, and is there for every copy
    _raise_if_broken(matcher)
    return CompiledConstraint(matcher, tokenizer, left_out)


class CompiledConstraint:
    """Immutable; may be shared by requests and threads."""

    def __init__(self, pristine: LLMatcher, tokenizer: LLTokenizer, left_out: tuple[str, ...] = ()) -> None:
        """`left_out`: keywords of its schemas that it does not enforce."""
        self._pristine = pristine
        self.left_out = left_out
        self._tokenizer = tokenizer

    def matcher(self) -> Matcher:
        """A matcher at the beginning. Any thread; microseconds."""
        return Matcher(self._pristine.deep_copy(), self._tokenizer)


class Matcher:
    """Where one answer stands. One thread at a time; while the model is loaded.

    For each token: sample from what `mask()` allows, then `advance()`."""

    def __init__(self, matcher: LLMatcher, tokenizer: LLTokenizer) -> None:
        self._matcher = matcher
        self._tokenizer = tokenizer
        self._mask: Mask = np.zeros((tokenizer.vocab_size + 31) // 32, dtype=np.uint32)
        self._budget_s = SPENT_AT_ONCE_S

    def mask(self) -> Mask:
        """The tokens that may come next, at least one; those that end an answer only where it may end.

        Valid until the next call. Raises ConstraintError where going on is too expensive."""
        started = time.thread_time()
        self._matcher.unsafe_compute_mask_ptr(self._mask.ctypes.data, self._mask.nbytes)
        self._budget_s += SPENT_PER_TOKEN_S - (time.thread_time() - started)
        # After an error llguidance allows the end of the answer, which would pass for a good one.
        _raise_if_broken(self._matcher)
        if self._budget_s < 0:
            raise ConstraintError("it takes too long to tell which tokens may come next")
        return self._mask

    def advance(self, token: int) -> None:
        """Goes on by a token that `mask()` named. Raises ConstraintError if it did not."""
        if not self._matcher.consume_token(token):
            _raise_if_broken(self._matcher)
            raise ConstraintError(f"token {token} does not match")

    def advance_text(self, text: str) -> None:
        """Goes on by text that stands there already, however its tokens were cut. Raises ConstraintError."""
        data = text.encode(errors="replace")
        tokens = self._tokenizer.greedy_tokenize(data.decode())
        if self._tokenizer.decode_bytes(tokens) != data:
            raise ConstraintError("the model has no tokens for what the answer begins with")
        if not self._matcher.consume_tokens(tokens):
            raise ConstraintError("what the answer begins with does not match")

    @property
    def finished(self) -> bool:
        """Whether the text so far matches as it stands, so that the answer may end here."""
        return self._matcher.is_accepting()

    @property
    def ended(self) -> bool:
        """Whether the text matches and nothing can follow: the answer is over, without an end token."""
        return self._matcher.is_stopped() and not self._matcher.is_error()

    def copy(self) -> Matcher:
        """A matcher at the same place that goes its own way."""
        return Matcher(self._matcher.deep_copy(), self._tokenizer)

    def reset(self) -> None:
        """Back to the beginning."""
        self._matcher.reset()


_IN_WORDS = {"NoExtensionBias": "no text matches it", "NoExtension": "no text matches it"}


def _raise_if_broken(matcher: LLMatcher) -> None:
    if matcher.is_error():
        raise ConstraintError(_shortened(matcher.get_error()))


def _shortened(reason: str) -> str:
    """What llguidance says, as one line that is fit to be shown."""
    line = " ".join(reason.replace("<non-verbose/>", "").split())
    line = _IN_WORDS.get(line, line)
    half = _MAX_REASON_CHARS // 2  # the beginning says where, the end says what
    return line if len(line) <= _MAX_REASON_CHARS else f"{line[:half]} … {line[-half:]}"

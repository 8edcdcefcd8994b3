"""Compiles constraints with llguidance, and tracks how far an answer has matched its constraint.

Compiling takes about a millisecond, computing the allowed next tokens about 0.02 ms.
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
    # Computing one mask of a hostile constraint takes 0.1 s with this limit, and 1.9 s with a limit of 200,000.
    step_lexer_fuel=50_000,
    step_max_items=50_000,
    max_items_in_row=20_000,  # an object with 500 optional properties needs 2,007 items
    max_lexer_states=20_000,  # each lexer state takes 1 to 2 kB
    verbose_errors=False,
)
"""llguidance's own limits, for compiling a constraint and for computing one mask."""

SPENT_AT_ONCE_S = 0.5
SPENT_PER_TOKEN_S = 0.005
"""Limits for the time to compute the masks of one answer, in seconds: an initial budget, and an allowance that each
token adds to it.

Other answers wait while a mask is computed."""

_MAX_REASON_CHARS = 300

TokenMask = NDArray[np.uint32]
"""The allowed next tokens: one bit for each token of the vocabulary, lowest first; 1 means allowed."""


def compile_constraint(constraint: Constraint | ToolCallGrammar, tokenizer: LLTokenizer) -> CompiledConstraint:
    """Compiles a constraint. Raises ConstraintError if the constraint is strict and a part of it cannot be enforced.

    Call it on a thread with a large stack (see `constraint_cache`), because llguidance recurses as deep as the
    constraint is nested. A hostile constraint would overflow a normal stack. Releases the GIL."""
    if isinstance(constraint, ToolCallGrammar):
        return _compile_calls(constraint, tokenizer)
    try:
        return _compile(constraint, tokenizer)
    except ConstraintError:
        part, not_enforced = relaxed_constraint(constraint)
        if not not_enforced:
            raise
        return _compile(part, tokenizer, not_enforced)


def _compile_calls(grammar: ToolCallGrammar, tokenizer: LLTokenizer) -> CompiledConstraint:
    if grammar.answer is None:
        return _compile(grammar, tokenizer, grammar.not_enforced)
    try:
        return _compile(grammar, tokenizer, grammar.not_enforced)
    except ConstraintError:
        part, not_enforced = relaxed_constraint(grammar.answer)
        if not not_enforced:
            raise
        return _compile(replace(grammar, answer=part), tokenizer, grammar.not_enforced + not_enforced)


def _compile(
    constraint: Constraint | ToolCallGrammar, tokenizer: LLTokenizer, not_enforced: tuple[str, ...] = ()
) -> CompiledConstraint:
    matcher = LLMatcher(tokenizer, grammar_text(constraint), log_level=0, limits=_LIMITS)
    _raise_on_error(matcher)
    if warnings := matcher.get_grammar_warnings():
        raise ConstraintError(_shortened(warnings[0]))
    # The first mask causes an error if no text matches the constraint. Copies of the matcher share this mask.
    matcher.compute_bitmask()
    _raise_on_error(matcher)
    return CompiledConstraint(matcher, tokenizer, not_enforced)


class CompiledConstraint:
    """A compiled constraint. It is immutable, and requests and threads may share it."""

    def __init__(self, initial: LLMatcher, tokenizer: LLTokenizer, not_enforced: tuple[str, ...] = ()) -> None:
        """`not_enforced`: the keywords in the constraint's JSON schemas that are not enforced."""
        self._initial = initial
        self.not_enforced = not_enforced
        self._tokenizer = tokenizer

    def matcher(self) -> Matcher:
        """Creates a matcher at the start of the constraint. May be called on any thread. Takes microseconds."""
        return Matcher(self._initial.deep_copy(), self._tokenizer)


class Matcher:
    """The position of one answer in a constraint.

    For each token, sample from the tokens that `mask()` allows, then call `advance()`. May be used by one thread at a
    time, and only while the model is loaded."""

    def __init__(self, matcher: LLMatcher, tokenizer: LLTokenizer) -> None:
        self._matcher = matcher
        self._tokenizer = tokenizer
        self._mask: TokenMask = np.zeros((tokenizer.vocab_size + 31) // 32, dtype=np.uint32)
        self._budget_s = SPENT_AT_ONCE_S

    def mask(self) -> TokenMask:
        """The allowed next tokens, at least one.

        End tokens are allowed only where the answer may end. The array is valid until the next call. Raises
        ConstraintError if the masks of this answer take too long to compute."""
        started = time.thread_time()
        self._matcher.unsafe_compute_mask_ptr(self._mask.ctypes.data, self._mask.nbytes)
        self._budget_s += SPENT_PER_TOKEN_S - (time.thread_time() - started)
        # After an error llguidance allows end tokens. Without this check, the answer would look valid.
        _raise_on_error(self._matcher)
        if self._budget_s < 0:
            raise ConstraintError("it takes too long to tell which tokens may come next")
        return self._mask

    def advance(self, token: int) -> None:
        """Moves on by one token. Raises ConstraintError if the constraint does not allow it."""
        if not self._matcher.consume_token(token):
            _raise_on_error(self._matcher)
            raise ConstraintError(f"token {token} does not match")

    def advance_text(self, text: str) -> None:
        """Moves on by text that the answer already contains, however that text was tokenized.

        Raises ConstraintError if the text does not match."""
        data = text.encode(errors="replace")
        tokens = self._tokenizer.greedy_tokenize(data.decode())
        if self._tokenizer.decode_bytes(tokens) != data:
            raise ConstraintError("the model has no tokens for what the answer begins with")
        if not self._matcher.consume_tokens(tokens):
            raise ConstraintError("what the answer begins with does not match")

    @property
    def must_end(self) -> bool:
        """Whether the answer matches the constraint and nothing can follow."""
        return self._matcher.is_stopped() and not self._matcher.is_error()

    def copy(self) -> Matcher:
        """A second matcher at the same position. It is independent of this one."""
        return Matcher(self._matcher.deep_copy(), self._tokenizer)

    def reset(self) -> None:
        """Returns to the start of the constraint."""
        self._matcher.reset()


_READABLE_REASONS = {"NoExtensionBias": "no text matches it", "NoExtension": "no text matches it"}


def _raise_on_error(matcher: LLMatcher) -> None:
    if matcher.is_error():
        raise ConstraintError(_shortened(matcher.get_error()))


def _shortened(reason: str) -> str:
    """llguidance's error message as one line of limited length."""
    line = " ".join(reason.replace("<non-verbose/>", "").split())
    line = _READABLE_REASONS.get(line, line)
    half = _MAX_REASON_CHARS // 2  # the start of the message locates the problem, the end describes it
    return line if len(line) <= _MAX_REASON_CHARS else f"{line[:half]} … {line[-half:]}"

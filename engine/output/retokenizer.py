"""Replaces an answer's tokens by those that its text will have in the next prompt.

A model may write a word in other tokens than its tokenizer would: " light" + "house" where the tokenizer has "
lighthouse". The next turn contains the tokenizer's version, so the KV cache would be invalid from the first difference
on. Each word is therefore replaced as soon as the next one starts, while that costs only a few tokens.
"""

from __future__ import annotations

from collections.abc import Callable

MAX_TOKENS = 32
"""Longer stretches are not words (a table of dashes, for instance) and are not changed."""


class Retokenizer:
    """For one answer. Only for tokenizers that split a text before each " word" and tokenize every part separately."""

    def __init__(self, tokenize: Callable[[str], list[int]], piece: Callable[[int], bytes], start: int) -> None:
        """`start`: the index of the answer's first token in the lists passed to `retokenize`."""
        self._tokenize = tokenize
        self._piece = piece
        self._start = start

    def retokenize(self, tokens: list[int]) -> tuple[int, list[int]] | None:
        """Call it with each new last token. If that starts a word and the tokenizer would write the text before it
        otherwise, returns the index of the first different token and the tokens from there on. They are never more
        than before."""
        at = len(tokens) - 1
        if at <= self._start or not self._begins_word(tokens[at]) or self._piece(tokens[at - 1])[-1:].isspace():
            return None
        start, self._start = self._start, at
        written, pieces = tokens[start:at], [self._piece(token) for token in tokens[start:at]]
        if len(written) > MAX_TOKENS or not all(pieces):
            return None
        try:
            expected = self._tokenize(b"".join(pieces).decode())
        except UnicodeDecodeError:
            return None
        # Text that looks like a control token would become one.
        if expected == written or len(expected) > len(written) or not all(map(self._piece, expected)):
            return None
        self._start = start + len(expected)
        n_equal = next(n for n, token in enumerate(expected) if token != written[n])
        return start + n_equal, [*expected[n_equal:], tokens[at]]

    def _begins_word(self, token: int) -> bool:
        piece = self._piece(token)
        return piece[:1] == b" " and piece[1:2].isalpha()

"""Replaces an answer's tokens by those that the tokenizer will produce for its text in the next prompt.

A model may write a word in other tokens than its tokenizer would: " light" + "house" where the tokenizer has "
lighthouse". The next prompt contains the tokenizer's version, so the KV cache would be invalid from the first
difference on. Each word is therefore replaced as soon as the next word starts, because then only a few tokens have to
be decoded again.
"""

from __future__ import annotations

from collections.abc import Callable

MAX_TOKENS = 32
"""The largest number of tokens in a word. Longer texts without a word start, such as a table of dashes, are not
changed."""


class Retokenizer:
    """Retokenizes one answer, word by word.

    Works only for tokenizers that split a text before each " word" and tokenize every part separately."""

    def __init__(self, tokenize: Callable[[str], list[int]], piece: Callable[[int], bytes], start: int) -> None:
        """`start`: the index of the answer's first token in the lists passed to `retokenize`."""
        self._tokenize = tokenize
        self._piece = piece
        self._start = start

    def retokenize(self, tokens: list[int]) -> tuple[int, list[int]] | None:
        """Returns the change to the tokens of the last complete word; None if there is none. Call it after each new
        token.

        A word is complete when the new token starts another one. If the tokenizer would write the word in other tokens,
        the change is the index of the first different token, and all tokens from there on. The replacement never has
        more tokens than the word had."""
        at = len(tokens) - 1
        if at <= self._start or not self._begins_word(tokens[at]) or self._piece(tokens[at - 1])[-1:].isspace():
            return None
        start, self._start = self._start, at
        if at - start == 1:  # the tokenizer writes the text of a token as that token
            return None
        written, pieces = tokens[start:at], [self._piece(token) for token in tokens[start:at]]
        if len(written) > MAX_TOKENS or not all(pieces):
            return None
        try:
            expected = self._tokenize(b"".join(pieces).decode())
        except UnicodeDecodeError:
            return None
        # A token with an empty piece is a control token. Text that only looks like a control token must not become one.
        if expected == written or len(expected) > len(written) or not all(map(self._piece, expected)):
            return None
        self._start = start + len(expected)
        n_equal = next(n for n, token in enumerate(expected) if token != written[n])
        return start + n_equal, [*expected[n_equal:], tokens[at]]

    def _begins_word(self, token: int) -> bool:
        piece = self._piece(token)
        return piece[:1] == b" " and piece[1:2].isalpha()

"""Keeps an answer in memory in the tokens that its text will have as part of the next prompt.

A model may write a word in other tokens than its tokenizer would: " light" + "house" where the tokenizer knows
" lighthouse". The next turn hands the text back in the tokenizer's spelling, and from the first word that differs all
would be read again. So a word is put right as soon as the next one begins, while that costs a few tokens.
"""

from __future__ import annotations

from collections.abc import Callable

LONGEST = 32
"""Stretches of more tokens are no words: a table of dashes, say. They stay as they are."""


class Retokenizer:
    """Of one answer. Only for tokenizers that split a text before each " word" and spell every piece by itself."""

    def __init__(self, tokenize: Callable[[str], list[int]], piece: Callable[[int], bytes], start: int) -> None:
        """`start` is the index of the answer's first token in the lists that `retokenize` is given."""
        self._tokenize = tokenize
        self._piece = piece
        self._start = start

    def retokenize(self, tokens: list[int]) -> tuple[int, list[int]] | None:
        """Called with each new last token. Where it begins a word and what came before is spelled otherwise than the
        tokenizer would: from which token on, and the tokens to have there. They say the same and are no more."""
        at = len(tokens) - 1
        if at <= self._start or not self._begins_word(tokens[at]) or self._piece(tokens[at - 1])[-1:].isspace():
            return None
        start, self._start = self._start, at
        written, pieces = tokens[start:at], [self._piece(token) for token in tokens[start:at]]
        if len(written) > LONGEST or not all(pieces):
            return None
        try:
            usual = self._tokenize(b"".join(pieces).decode())
        except UnicodeDecodeError:
            return None
        # A text that looks like a control token would become one.
        if usual == written or len(usual) > len(written) or not all(map(self._piece, usual)):
            return None
        self._start = start + len(usual)
        n_same = next(n for n, token in enumerate(usual) if token != written[n])
        return start + n_same, [*usual[n_same:], tokens[at]]

    def _begins_word(self, token: int) -> bool:
        piece = self._piece(token)
        return piece[:1] == b" " and piece[1:2].isalpha()

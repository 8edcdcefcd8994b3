"""Retokenizer with a toy tokenizer. The toy tokenizer has a token for each byte and for a few words, and splits a text
before each space that starts a word.
"""

from __future__ import annotations

import re

from engine.output.retokenizer import MAX_TOKENS, Retokenizer

WORDS = [bytes([n]) for n in range(256)]
WORDS += [b" light", b" lighthouse", b"house", b" the", b" sea", b"", b"light", "é".encode()]
CONTROL = WORDS.index(b"")


def ids(*pieces: str) -> list[int]:
    return [WORDS.index(each.encode()) for each in pieces]


def tokenize(text: str) -> list[int]:
    tokens = []
    for part in re.split(r"(?<=\S)(?= \w)|(<end>)", text):
        data = (part or "").encode()
        if data == b"<end>":
            tokens.append(CONTROL)
            continue
        while data:
            longest = max((word for word in WORDS if word and data.startswith(word)), key=len)
            tokens.append(WORDS.index(longest))
            data = data[len(longest) :]
    return tokens


def written(*pieces: str | int, start: int = 0) -> list[int]:
    """The tokens of an answer after they were fed one by one to a Retokenizer."""
    spelling = Retokenizer(tokenize, WORDS.__getitem__, start)
    kept: list[int] = []
    for piece in pieces:
        kept.append(piece if isinstance(piece, int) else WORDS.index(piece.encode()))
        if (change := spelling.retokenize(kept)) is not None:
            at, tokens = change
            kept[at:] = tokens
    return kept


def test_word_is_retokenized_when_the_next_one_starts() -> None:
    assert written(" the", " light", "house") == ids(" the", " light", "house")
    assert written(" the", " light", "house", " the") == ids(" the", " lighthouse", " the")
    assert written(" light", "house", " light", "house", " sea") == ids(" lighthouse", " lighthouse", " sea")


def test_tokens_that_the_tokenizer_would_write_are_unchanged() -> None:
    assert written(" the", " lighthouse", " sea", " light", ".", " the") == ids(
        " the", " lighthouse", " sea", " light", ".", " the"
    )


def test_word_of_a_single_token_is_not_tokenized() -> None:
    texts: list[str] = []

    def recorded(text: str) -> list[int]:
        texts.append(text)
        return tokenize(text)

    spelling = Retokenizer(recorded, WORDS.__getitem__, 0)
    tokens: list[int] = []
    for token in ids(" the", " sea", " light", "house", " the", " sea"):
        tokens.append(token)
        if (change := spelling.retokenize(tokens)) is not None:
            at, replacement = change
            tokens[at:] = replacement
    assert texts == [" lighthouse"]


def test_tokens_of_the_prompt_are_unchanged() -> None:
    assert written(" light", "house", " the", start=2) == ids(" light", "house", " the")


def test_partial_characters_and_control_tokens_are_unchanged() -> None:
    first, second = "é".encode()
    assert written(first, " the", " sea") == [first, *ids(" the", " sea")]
    assert written(first, second, " the") == ids("é", " the")
    assert written("l", "i", "g", "h", "t", CONTROL, " the")[:6] == [*ids("l", "i", "g", "h", "t"), CONTROL]


def test_text_of_a_control_token_does_not_become_that_token() -> None:
    assert written("<", "e", "n", "d", ">", " the") == ids("<", "e", "n", "d", ">", " the")


def test_long_text_without_word_starts_is_unchanged() -> None:
    dashes = ["-"] * MAX_TOKENS
    assert written("l", "i", "g", "h", "t", *dashes, " the") == ids("l", "i", "g", "h", "t", *dashes, " the")

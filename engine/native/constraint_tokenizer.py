"""A model's vocabulary for llguidance."""

from __future__ import annotations

import ctypes
from typing import Any

from llguidance import LLTokenizer

from engine.native.llama import C
from engine.native.model import NativeModel

_SPECIAL = b"\xff"
"""Prefix that llguidance expects before names of special tokens; the byte never occurs in UTF-8."""


def open_tokenizer(model: NativeModel) -> LLTokenizer:
    """Any thread, while the model is loaded. Takes 0.3 s and 19 MB for 49,152 tokens.

    It points into the model's memory, so the model must outlive everything compiled with it."""
    # As in `llguidance.llamacpp`, except that a token is special exactly if it has no text in an answer.
    open_llamacpp: Any = LLTokenizer.from_llamacpp  # type: ignore[attr-defined]
    tokenizer: LLTokenizer = open_llamacpp(
        tokens=[model.piece(token) or _SPECIAL + model.name(token) for token in range(model.n_vocab)],
        vocab_ptr=model.vocab,
        tokenize_fptr=ctypes.cast(model.c_tokenize, ctypes.c_void_p).value,
        eos_token=sorted(model.eog_tokens) or C.llama_vocab_eos(model.vocab),
        slices=None,
    )
    return tokenizer

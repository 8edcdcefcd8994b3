"""A model's vocabulary as llguidance wants it."""

from __future__ import annotations

from llguidance import LLTokenizer
from llguidance.llamacpp import lltokenizer_from_vocab

from engine.native.model import NativeModel


def open_tokenizer(model: NativeModel) -> LLTokenizer:
    """Any thread, while the model is loaded; 0.3 s and 19 MB for 49,152 tokens.

    It keeps a pointer into the model, so the model must outlive whatever is compiled with it."""
    return lltokenizer_from_vocab(model.vocab, eos_token=sorted(model.ends) or None)

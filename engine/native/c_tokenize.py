"""Our tokenizer behind the signature of llama.cpp's `llama_tokenize`."""

from __future__ import annotations

import ctypes
from typing import Any

from engine.native.llama import C
from engine.native.tokenizer import Tokenizer

_SIGNATURE = ctypes.CFUNCTYPE(
    ctypes.c_int32,
    ctypes.c_void_p,
    ctypes.POINTER(ctypes.c_char),
    ctypes.c_int32,
    ctypes.POINTER(C.llama_token),
    ctypes.c_int32,
    ctypes.c_bool,
    ctypes.c_bool,
)


SHORT_BYTES = 128
"""Texts up to this length are passed to llama.cpp as they are: none of its limits applies to them."""


def c_tokenize(tokenizer: Tokenizer) -> Any:
    """A C function, which must be kept as long as it may be called. It is given the vocabulary of `tokenizer`."""

    def call(
        vocab: Any, text: Any, n_bytes: int, tokens: Any, n_max: int, add_special: bool, parse_special: bool
    ) -> int:
        given = ctypes.string_at(text, n_bytes)
        if n_bytes <= SHORT_BYTES:
            return int(C.llama_tokenize(vocab, given, n_bytes, tokens, n_max, add_special, parse_special))
        decoded = given.decode("utf-8", errors="replace")
        found = tokenizer.tokenize(decoded, add_special=add_special, parse_special=parse_special)
        if len(found) > n_max:
            return -len(found)
        ctypes.memmove(tokens, (C.llama_token * len(found))(*found), len(found) * ctypes.sizeof(C.llama_token))
        return len(found)

    return _SIGNATURE(call)

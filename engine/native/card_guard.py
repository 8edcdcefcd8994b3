"""Calls functions of llama.cpp so that a lost graphics card ends the call with an error, not the process.

Vulkan's library throws a C++ exception when a card stops responding, which Python cannot catch. The library that we
build contains functions that catch it (packaging/llama-gpu/guarded_calls.cpp).
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

from engine.backend import CardFailure
from engine.native.llama import C, take_error_message

MAX_ERROR_BYTES = 500


class CardGuard:
    """The functions of one library. Used only on the threads that decode."""

    def __init__(self, library: Path) -> None:
        """`library` is already loaded. Raises AttributeError if it has no such functions, as libraries of other kinds
        and of other builds."""
        functions: Any = ctypes.CDLL(str(library))
        self._decode, self._copy = functions.app_guarded_decode, functions.app_guarded_copy
        self._decode.restype = self._copy.restype = ctypes.c_bool
        self._reconnect = functions.app_reconnect_cards
        self._reconnect.restype = ctypes.c_bool
        self.has_lost_card = False
        """Whether a card does not work. Then contexts on cards must not be freed, because they would wait for it."""
        self.n_reconnected = 0
        """How often the cards were connected anew. Contexts from before must not be freed either."""

    def decode(self, context: int, batch: object) -> int:
        """Calls llama_decode and waits for the cards. Raises CardFailure."""
        result, error = ctypes.c_int32(), ctypes.create_string_buffer(MAX_ERROR_BYTES)
        arguments = (batch, ctypes.byref(result), error, ctypes.c_size_t(len(error)))
        pointer = ctypes.c_void_p(context)
        self._check(self._decode(C.llama_decode, C.llama_synchronize, pointer, *arguments), error)
        return result.value

    def copy_state(self, function: Any, context: int, state: Any, size: int, slot: int) -> int:
        """Calls `function`, llama_state_seq_get_data or llama_state_seq_set_data. Raises CardFailure."""
        result, error = ctypes.c_size_t(), ctypes.create_string_buffer(MAX_ERROR_BYTES)
        arguments = (ctypes.c_void_p(context), state, ctypes.c_size_t(size), ctypes.c_int32(slot))
        self._check(self._copy(function, *arguments, ctypes.byref(result), error, ctypes.c_size_t(len(error))), error)
        return result.value

    def reconnect(self) -> None:
        """Connects to the cards anew if one was lost. If that succeeds, `has_lost_card` is False again. Call it after
        the model that used them was freed."""
        if self.has_lost_card and self._reconnect():
            self.has_lost_card = False
            self.n_reconnected += 1

    def _check(self, is_done: bool, error: Any) -> None:
        if not is_done:
            self.has_lost_card = True
            take_error_message()  # about the same failure
            raise CardFailure(error.value.decode(errors="replace"))


_guards: list[CardGuard] = []


def add_guard(library: Path) -> None:
    """Uses the functions of a library that llama.cpp has loaded, if it has them."""
    try:
        _guards.append(CardGuard(library))
    except AttributeError:
        return


def card_guard() -> CardGuard | None:
    """The guard for models on cards; None if no library has one."""
    return _guards[0] if _guards else None

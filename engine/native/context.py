"""A llama.cpp context and the batch buffer for its decodes."""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.backend import Chunk, Interrupted, KvAllocationFailed, NativeFailure
from engine.errors import AllocationFailed
from engine.native.card_guard import CardGuard
from engine.native.llama import C, logits_address, take_error_message
from engine.native.model import NativeModel

MAX_VIEWS = 256
"""Maximum number of kept arrays over rows of logits."""

_ABORTED = 2
"""What llama_decode returns after an abort."""

HiddenState = npt.NDArray[np.float32]
"""The output of a model's last layer for one token."""


def context_params(n_ctx: int, n_batch: int, n_slots: int, n_threads: int) -> Any:
    """Parameters of a context whose KV cache all sequences share. llama.cpp does not split a batch (n_ubatch =
    n_batch)."""
    params = C.llama_context_default_params()
    params.n_ctx = n_ctx
    params.n_batch = params.n_ubatch = n_batch
    params.n_seq_max = n_slots
    params.n_threads = params.n_threads_batch = n_threads
    params.kv_unified = True
    # The cache has full size even with a sliding window: a cache of window size supports no truncation at all.
    params.swa_full = True
    params.no_perf = True
    return params


class NativeContext:
    """A llama.cpp context. Used only on the native thread, the one that decodes. Close it before its model."""

    def __init__(self, model: NativeModel, params: Any, n_state: int = 0, guard: CardGuard | None = None) -> None:
        """Opens a context over `model`. With `n_state` above 0, each token of a decode has a hidden state of this many
        numbers as a second input. With a `guard`, cards compute layers. Raises AllocationFailed."""
        self.pointer = C.llama_init_from_model(model.pointer, params)
        if not self.pointer:
            raise AllocationFailed(model.path, take_error_message() or "there is not enough memory for its context")
        self.memory = C.llama_get_memory(self.pointer)
        """llama.cpp's KV memory; null if the context has none, as with bidirectional attention."""
        self._n_threads = params.n_threads
        self._n_vocab = model.n_vocab
        self._views: dict[int, npt.NDArray[np.float32]] = {}
        """Arrays over rows of logits, by address. They are kept, because creating one takes longer than finding the
        highest logit in it."""
        self.guard = guard
        self._n_reconnected = guard.n_reconnected if guard is not None else 0
        self._batch = _Batch(params.n_batch, n_state)
        self._abort = _AbortFlag(self.pointer)

    def decode(
        self,
        chunks: Sequence[Chunk],
        n_threads: int,
        *,
        interruptible: bool = False,
        states: Sequence[HiddenState] = (),
    ) -> None:
        """Computes the chunks in order, as one batch. With `interruptible`, `interrupt` can end the decode early; call
        `allow_interruption` before. `states` are the hidden states of all tokens, if the context takes them. Raises
        KvAllocationFailed, Interrupted, CardFailure, NativeFailure."""
        if n_threads != self._n_threads:
            C.llama_set_n_threads(self.pointer, n_threads, n_threads)
            self._n_threads = n_threads
        batch = self._batch.fill(chunks, states)
        if not interruptible:
            self._abort.is_allowed = False
        try:
            if self.guard is not None:
                result = self.guard.decode(self.pointer, batch)
            else:
                result = C.llama_decode(self.pointer, batch)
        finally:
            self._abort.is_allowed = False
        if result == 1:
            raise KvAllocationFailed
        if result == _ABORTED:
            take_error_message()  # llama.cpp warns that it removes the tokens of the decode from KV memory
            raise Interrupted
        if result != 0:
            raise NativeFailure(take_error_message() or f"llama_decode returned {result}")

    def allow_interruption(self) -> None:
        """See `engine.backend.Backend.allow_interruption`."""
        self._abort.is_allowed = True

    def interrupt(self) -> None:
        """Ends the interruptible decode that is in progress or about to begin. May be called on any thread."""
        self._abort.set()

    def logits(self, row: int) -> npt.NDArray[np.float32]:
        """See `engine.backend.Backend.logits`."""
        address = logits_address(self.pointer, row)
        view = self._views.get(address)
        if view is None:
            if not address:
                raise NativeFailure(take_error_message() or f"row {row} has no logits")
            if len(self._views) >= MAX_VIEWS:  # llama.cpp has moved its output buffer
                self._views.clear()
            row_memory: Any = (ctypes.c_float * self._n_vocab).from_address(address)
            view = np.frombuffer(row_memory, np.float32)
            self._views[address] = view
        return view

    def copy_state(self, function: Any, state: npt.NDArray[np.uint8], slot: int) -> int:
        """Calls `function`, llama_state_seq_get_data or llama_state_seq_set_data, and returns the number of bytes that
        it copied. Raises CardFailure."""
        address = state.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
        if self.guard is not None:
            return self.guard.copy_state(function, self.pointer, address, len(state), slot)
        return int(function(self.pointer, address, len(state), slot))

    def clear(self, slot: int) -> None:
        """Removes all tokens of `slot` from KV memory."""
        if self.memory:
            C.llama_memory_seq_rm(self.memory, slot, -1, -1)

    def close(self) -> None:
        self._views.clear()
        self._batch.close()
        guard = self.guard
        if guard is None or not (guard.has_lost_card or guard.n_reconnected > self._n_reconnected):
            C.llama_free(self.pointer)


def likeliest(context: NativeContext, row: int) -> int:
    """Returns the token with the highest logit in `row`."""
    return int(context.logits(row).argmax())


class _AbortFlag:
    """Tells llama.cpp to abort a decode. It asks before each of the decode's operations on the CPU.

    It calls `strlen` on two bytes: an empty string means to continue, a string of length 1 to abort. A Python function
    would take the GIL a thousand times per decode."""

    def __init__(self, context: Any) -> None:
        self._text = ctypes.create_string_buffer(2)
        self._lock = threading.Lock()
        self._is_allowed = False
        libc = ctypes.cdll.msvcrt if sys.platform == "win32" else ctypes.CDLL(None)
        function = C.ggml_abort_callback(ctypes.cast(libc.strlen, ctypes.c_void_p).value)
        C.llama_set_abort_callback(context, function, ctypes.cast(self._text, ctypes.c_void_p))

    @property
    def is_allowed(self) -> bool:
        """Whether `set` aborts the current or next decode. Setting this clears the flag, so that a late `set` does not
        abort another decode."""
        return self._is_allowed

    @is_allowed.setter
    def is_allowed(self, is_allowed: bool) -> None:
        with self._lock:
            self._is_allowed = is_allowed
            self._text[0] = b"\0"

    def set(self) -> None:
        """May be called on any thread."""
        with self._lock:
            if self._is_allowed:
                self._text[0] = b"\1"


class _Batch:
    """A llama.cpp batch with up to `n_tokens` tokens, each of which belongs to one sequence.

    It is filled through numpy views, because a Python loop over ctypes arrays is too slow for every step."""

    def __init__(self, n_tokens: int, n_state: int) -> None:
        self._batch = C.llama_batch_init(n_tokens, 0, 1)
        self._states = np.zeros((n_tokens, n_state), np.float32)
        if n_state:
            self._batch.embd = self._states.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        as_array = np.ctypeslib.as_array
        self._token = as_array(self._batch.token, (n_tokens,))
        self._pos = as_array(self._batch.pos, (n_tokens,))
        self._logits = as_array(self._batch.logits, (n_tokens,))
        as_array(self._batch.n_seq_id, (n_tokens,))[:] = 1
        self._slots = [self._batch.seq_id[i] for i in range(n_tokens)]

    def fill(self, chunks: Sequence[Chunk], states: Sequence[HiddenState] = ()) -> object:
        """Fills the batch with the chunks and the hidden states of their tokens, and returns it as the argument for
        llama_decode. It is valid until the next call."""
        if states:
            self._states[: len(states)] = states
        row = 0
        for chunk in chunks:
            n = len(chunk.tokens)
            if n == 1:
                self._token[row] = chunk.tokens[0]
                self._pos[row] = chunk.start
            else:
                self._token[row : row + n] = chunk.tokens
                self._pos[row : row + n] = np.arange(chunk.start, chunk.start + n)
                self._logits[row : row + n] = chunk.needs_all_logits
            if chunk.n_drafted:
                self._logits[row + n - 1 - chunk.n_drafted : row + n] = 1
            else:
                self._logits[row + n - 1] = chunk.sample_last or chunk.needs_all_logits
            for i in range(row, row + n):
                self._slots[i][0] = chunk.slot
            row += n
        self._batch.n_tokens = row
        return self._batch

    def close(self) -> None:
        self._batch.embd = None  # its memory belongs to numpy
        C.llama_batch_free(self._batch)

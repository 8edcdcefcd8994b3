"""Drafts tokens with the MTP layers of the main model (multi-token prediction).

They predict the token after the next one from the next token and the main model's hidden state before it. They run in a
context of their own, which holds the generated tokens of each request, from the first one on: hidden states of prompts
are not kept with prefixes, and so the drafts of a request are the same whether or not its prompt was cached.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.backend import CardFailure, Chunk, DraftTask, KvAllocationFailed, NativeFailure
from engine.errors import ModelFileError
from engine.events import DraftKind
from engine.kv_memory import common_prefix_length
from engine.library.memory_estimate import N_BATCH
from engine.native.context import HiddenState, NativeContext, likeliest
from engine.native.llama import C
from engine.native.model import NativeModel

MAX_STATES = 64
"""Number of hidden states that are kept for each slot. One step computes at most this number for a request."""

MISSING_FUNCTIONS = "this build of llama.cpp lacks the functions for them"


def _exported(name: str, mangled: str, arguments: list[Any], result: Any) -> Any:
    """Returns a function of llama-ext.h, which is not part of llama.cpp's C interface: it has a C++ name that depends
    on the compiler. None if the library does not export it."""
    windows = {"bb": "?{}@@YAXPEAUllama_context@@_N1@Z", "i": "?{}@@YAPEAMPEAUllama_context@@H@Z"}[mangled]
    for each in (name, f"_Z{len(name)}{name}P13llama_context{mangled}", windows.format(name)):
        try:
            function = C._lib[each]
        except AttributeError:
            continue
        function.argtypes, function.restype = [ctypes.c_void_p, *arguments], result
        return function
    return None


_set_outputs = _exported("llama_set_embeddings_nextn", "bb", [ctypes.c_bool, ctypes.c_bool], None)
"""Sets whether a context outputs hidden states, and whether only for tokens with logits."""

_state_address = _exported("llama_get_embeddings_nextn_ith", "i", [ctypes.c_int32], ctypes.c_void_p)
"""Returns the address of the hidden state of a token, by its index in the last batch; None if it has none."""


def is_available() -> bool:
    """Whether llama.cpp exports the functions that MTP layers need."""
    return _set_outputs is not None and _state_address is not None


@dataclass(slots=True)
class _States:
    """The main model's hidden states after successive tokens of one slot. The first one of `tokens` has the index
    `start` in its request."""

    start: int = 0
    tokens: list[int] = field(default_factory=list)
    states: list[HiddenState] = field(default_factory=list)

    def add(self, start: int, tokens: Sequence[int], states: Sequence[HiddenState]) -> None:
        """Adds the states after tokens that were just computed, the first of which has the index `start`. Drops those
        after tokens that they replace, and the oldest above MAX_STATES."""
        n_kept = start - self.start
        if not 0 <= n_kept <= len(self.tokens):
            self.start, n_kept = start, 0
        self.tokens[n_kept:], self.states[n_kept:] = tokens, states
        n_surplus = max(0, len(self.tokens) - MAX_STATES)
        del self.tokens[:n_surplus], self.states[:n_surplus]
        self.start += n_surplus

    def before_last(self, task: DraftTask) -> tuple[int, list[HiddenState]]:
        """Returns the states after the last tokens of a request, up to the token before its very last one, with the
        index of the first of these tokens. They begin at the last prompt token at the earliest, and after the last
        token that differs from the request's, such as one that was replaced by retokenization. There are none if the
        last one is missing."""
        end = len(task.tokens) - 1
        first = max(self.start, task.n_prompt - 1)
        known, wanted = self.tokens[first - self.start : end - self.start], task.tokens[first:end]
        if first >= end or len(known) < len(wanted):
            return end, []
        n_equal = len(known)
        if known != wanted:
            pairs = zip(reversed(known), reversed(wanted), strict=True)
            n_equal = next(n for n, (one, other) in enumerate(pairs) if one != other)
        return end - n_equal, self.states[end - n_equal - self.start : end - self.start]


@dataclass(slots=True)
class _Held:
    """The tokens of one request in the context of the MTP layers. The first one has the index `start` in the
    request."""

    slot: int
    start: int = 0
    tokens: list[int] = field(default_factory=list)

    @property
    def end(self) -> int:
        return self.start + len(self.tokens)


class NativeMtp:
    """See `engine.backend.DraftModel`. Used only on the native thread, the one that decodes."""

    kind: DraftKind = "mtp"

    def __init__(
        self, model: NativeModel, main: NativeContext, params: Any, n_slots: int, cost: float, *, on_card: bool
    ) -> None:
        """`model` was loaded with its MTP layers, and `main` is its context, for which `params` were used. With
        `on_card`, cards compute layers. Raises ModelFileError."""
        self._n_state = int(C.llama_model_n_embd_out(model.pointer))
        if self._n_state != C.llama_model_n_embd_inp(model.pointer):
            raise ModelFileError(model.path, "the outputs of its layers are not inputs of its MTP layers")
        params.ctx_type, params.ctx_other = C.LLAMA_CONTEXT_TYPE_MTP, main.pointer
        params.n_batch = params.n_ubatch = N_BATCH
        params.n_seq_max = params.n_outputs_max = n_slots
        self._context = NativeContext(model, params, self._n_state, main.guard)
        self._main = main
        self._on_card = on_card
        self._n_threads = params.n_threads
        self._free_slots = list(range(n_slots - 1, -1, -1))
        self._states: dict[int, _States] = {}
        self._held: dict[str, _Held] = {}
        self.cost = cost
        _set_outputs(main.pointer, True, True)
        # Not only for tokens with logits: llama.cpp's graphs of MTP layers do not select the hidden states of those.
        _set_outputs(self._context.pointer, True, False)

    def keep_states(self, chunks: Sequence[Chunk]) -> None:
        """Keeps the hidden states of the main model's last decode. Call this after each decode of these chunks."""
        row = -1
        for chunk in chunks:
            row += len(chunk.tokens)
            if chunk.sample_last:
                n = 1 + chunk.n_drafted
                states = self._read_states(self._main, row - n + 1, n)
                start = chunk.start + len(chunk.tokens) - n
                self._states.setdefault(chunk.slot, _States()).add(start, chunk.tokens[-n:], states)

    def clear(self, slot: int) -> None:
        """Drops the hidden states of a slot of the main context."""
        self._states.pop(slot, None)

    def clear_all(self) -> None:
        self._states.clear()

    def draft(self, wanted: Sequence[DraftTask]) -> dict[str, list[int]]:
        drafts: dict[str, list[int]] = {}
        try:
            tasks, chunks, states = self._unread(wanted)
            while tasks:
                states = self._decode(tasks, chunks, states, drafts)
                rows = zip(tasks, chunks, states, strict=True)
                left = [each for each in rows if len(drafts[each[0].request_id]) < each[0].n]
                tasks, states = [task for task, _, _ in left], [state for _, _, state in left]
                chunks = [
                    Chunk(last.slot, last.start + len(last.tokens), drafts[task.request_id][-1:], sample_last=True)
                    for task, last, _ in left
                ]
        except KvAllocationFailed:
            for request_id in list(self._held):
                self.forget(request_id)
        return drafts

    def _unread(self, wanted: Sequence[DraftTask]) -> tuple[list[DraftTask], list[Chunk], list[HiddenState]]:
        """Returns the requests that can get a draft now, a chunk for each with the tokens that the context does not
        hold yet, and the hidden states before all of these tokens."""
        tasks: list[DraftTask] = []
        chunks: list[Chunk] = []
        states: list[HiddenState] = []
        for task in wanted:
            held = self._held_of(task)
            first, known = self._states.get(task.slot, _States()).before_last(task)
            if held is None or len(states) + len(known) > N_BATCH or not known:
                continue
            self._keep_common(held, task, first + 1)
            chunk = Chunk(held.slot, held.end, task.tokens[held.end :], sample_last=True)
            states += known[held.end - 1 - first :]
            held.tokens += chunk.tokens
            tasks.append(task)
            chunks.append(chunk)
        return tasks, chunks, states

    def _held_of(self, task: DraftTask) -> _Held | None:
        held = self._held.get(task.request_id)
        if held is None and self._free_slots:
            held = self._held[task.request_id] = _Held(self._free_slots.pop())
        return held

    def _keep_common(self, held: _Held, task: DraftTask, first: int) -> None:
        """Removes from the context what is not at the beginning of the request's tokens, and the last token, which has
        to be computed. Removes everything if the tokens from there up to index `first` cannot be read."""
        n = common_prefix_length(held.tokens, task.tokens[held.start : len(task.tokens) - 1])
        if held.start + n < first:
            held.start, n = first, 0
        del held.tokens[n:]
        C.llama_memory_seq_rm(self._context.memory, held.slot, held.end if n else -1, -1)

    def _decode(
        self,
        tasks: Sequence[DraftTask],
        chunks: Sequence[Chunk],
        states: Sequence[HiddenState],
        drafts: dict[str, list[int]],
    ) -> list[HiddenState]:
        """Decodes one chunk of each request, and adds a token to its draft. Returns the hidden states after the
        chunks, which take the place of the main model's for the next token of the draft. Raises KvAllocationFailed,
        CardFailure, NativeFailure."""
        try:
            self._context.decode(chunks, self._n_threads, states=states)
        except NativeFailure as error:
            if not self._on_card:
                raise
            raise CardFailure(str(error)) from error
        row, after = -1, []
        for task, chunk in zip(tasks, chunks, strict=True):
            row += len(chunk.tokens)
            drafts.setdefault(task.request_id, []).append(likeliest(self._context, row))
            after += self._read_states(self._context, row, 1)
        return after

    def _read_states(self, context: NativeContext, row: int, n: int) -> list[HiddenState]:
        """Returns copies of the hidden states of `n` successive tokens with logits. The first one has the index `row`
        in the last batch."""
        address = _state_address(context.pointer, row)
        memory: Any = (ctypes.c_float * (n * self._n_state)).from_address(address)
        return list(np.frombuffer(memory, np.float32).reshape(n, self._n_state).copy())

    def forget(self, request_id: str) -> None:
        held = self._held.pop(request_id, None)
        if held is not None:
            self._context.clear(held.slot)
            self._free_slots.append(held.slot)

    def close(self) -> None:
        self._context.close()

"""The real backend: a model and one context, with a unified KV cache for all sequences."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from engine.backend import Chunk, Limits, LoadSettings, NativeFailure, NoRoom
from engine.errors import ModelFileError
from engine.events import ModelInfo
from engine.native.batch import NativeBatch
from engine.native.llama import C, take_complaint
from engine.native.model import NativeModel
from engine.native.sampler import NativeSampler
from engine.requests import Sampling
from engine.schedule.threads import ladder

N_SLOTS = 16
"""Sequences side by side. More would each be slower than a reader reads."""

N_BATCH = 256
"""Tokens in one decode: prompts are read 3 % slower than with 512, and a cancel takes half as long."""

N_CTX_DEFAULT = 8192


def open_native(path: Path, settings: LoadSettings, on_progress: Callable[[float], bool]) -> NativeBackend:
    """Loads a GGUF file. Raises ModelFileError, LoadCancelled. Native thread."""
    model = NativeModel(path, on_progress)
    try:
        return NativeBackend(model, settings)
    except BaseException:
        model.close()
        raise


class NativeBackend:
    """See `engine.backend.Backend`."""

    def __init__(self, model: NativeModel, settings: LoadSettings) -> None:
        self._model = model
        n_ctx = settings.n_ctx or min(model.n_ctx_train or N_CTX_DEFAULT, N_CTX_DEFAULT)
        counts = (settings.n_threads,) if settings.n_threads else ladder(psutil.cpu_count(logical=False) or 1)
        self._n_threads = counts[-1]
        self._context = _open_context(model, n_ctx, self._n_threads)
        self._memory = C.llama_get_memory(self._context)
        self._batch = NativeBatch(N_BATCH)
        self.limits = Limits(C.llama_n_ctx(self._context), N_SLOTS, N_BATCH, counts)
        self.vocabulary = model.vocabulary()
        self.chat_template = model.chat_template
        self.tokenize = model.tokenize
        self.piece = model.piece
        self.info = ModelInfo(
            id=model.path.stem,
            name=model.metadata("general.name") or model.path.stem,
            path=model.path,
            size_bytes=model.path.stat().st_size,
            n_ctx=self.limits.n_cells,
            n_ctx_train=model.n_ctx_train,
            kv_bytes=_kv_bytes(model, self.limits.n_cells),
            loaded_at=time.time(),
        )

    def sampler(self, sampling: Sampling, history: Sequence[int]) -> NativeSampler:
        return NativeSampler(self._context, self._model.n_vocab, sampling, history)

    def decode(self, chunks: Sequence[Chunk], n_threads: int) -> None:
        if n_threads != self._n_threads:
            C.llama_set_n_threads(self._context, n_threads, n_threads)
            self._n_threads = n_threads
        result = C.llama_decode(self._context, self._batch.fill(chunks))
        if result == 1:
            raise NoRoom
        if result != 0:
            raise NativeFailure(take_complaint() or f"llama_decode returned {result}")

    def clear(self, slot: int) -> None:
        C.llama_memory_seq_rm(self._memory, slot, -1, -1)

    def close(self) -> None:
        self._batch.close()
        C.llama_free(self._context)
        self._model.close()


def _open_context(model: NativeModel, n_ctx: int, n_threads: int) -> int:
    params = C.llama_context_default_params()
    params.n_ctx = n_ctx
    params.n_batch = params.n_ubatch = N_BATCH
    params.n_seq_max = N_SLOTS
    params.n_outputs_max = N_SLOTS
    params.n_threads = params.n_threads_batch = n_threads
    params.kv_unified = True
    params.no_perf = True
    context = C.llama_init_from_model(model.pointer, params)
    if not context:
        raise ModelFileError(model.path, take_complaint() or "there is not enough memory for its context")
    return int(context)


def _kv_bytes(model: NativeModel, n_ctx: int) -> int:
    """Size of the KV cache in f16, from the file's metadata; 0 where that does not say."""
    architecture = model.metadata("general.architecture") or ""

    def number(key: str) -> int:
        value = model.metadata(f"{architecture}.{key}")
        return int(value) if value and value.isdigit() else 0

    heads = number("attention.head_count") or 1
    width = number("embedding_length") // heads
    per_head = (number("attention.key_length") or width) + (number("attention.value_length") or width)
    return n_ctx * number("block_count") * (number("attention.head_count_kv") or heads) * per_head * 2

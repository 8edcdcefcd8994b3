"""Embedding contexts over llama.cpp, of an embedding model or of the chat model's weights.

The context returns one row per token and EmbedQueue pools them, so that a long input can be computed in slices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psutil

from engine.backend import Chunk, EmbedderLimits, LoadSettings, NativeFailure, Pooling
from engine.errors import InvalidSettings, ModelFileError
from engine.files.display_name import display_name
from engine.library.load_settings_check import check_settings
from engine.library.memory_estimate import choose_context_length
from engine.library.split_files import read_model, total_size
from engine.native.batch import NativeBatch
from engine.native.llama import C, take_error_message
from engine.native.model import NativeModel
from engine.scheduler.thread_tuner import candidate_thread_counts
from engine.status import EmbedderInfo

N_CTX = 2048
"""Default for the tokens of one input."""

N_BATCH = 256
"""Tokens of one decode, if inputs can be split."""

N_SLOTS = 16

POOLINGS: dict[int, Pooling] = {
    C.LLAMA_POOLING_TYPE_MEAN: "mean",
    C.LLAMA_POOLING_TYPE_CLS: "cls",
    C.LLAMA_POOLING_TYPE_LAST: "last",
}


def open_embedder(path: Path, settings: LoadSettings, on_progress: Callable[[float], bool]) -> NativeEmbedder:
    """See `engine.backend.OpenEmbedder`. Native thread."""
    header = read_model(path)
    check_settings(settings, header)
    for name in ("kv_type_k", "kv_type_v", "flash_attention"):
        if getattr(settings, name) != getattr(LoadSettings(), name):
            raise InvalidSettings(name, "an embedding model supports only the default")
    if header.number("pooling_type") == C.LLAMA_POOLING_TYPE_RANK:
        raise ModelFileError(path, "this model ranks texts, it does not embed them")
    n_train = header.number("context_length") or N_CTX
    wanted = LoadSettings(n_ctx=settings.n_ctx or min(n_train, N_CTX))
    choose_context_length(header, wanted, n_slots=N_SLOTS, n_batch=wanted.n_ctx, n_outputs=0)
    model = NativeModel(path, on_progress, settings)
    try:
        return NativeEmbedder(model, wanted.n_ctx, settings.n_threads, owns_model=True)
    except BaseException:
        model.close()
        raise


class NativeEmbedder:
    """See `engine.backend.Embedder`."""

    def __init__(self, model: NativeModel, n_ctx: int, n_threads: int, *, owns_model: bool) -> None:
        self._model = model
        self._owns_model = owns_model
        # With bidirectional attention there is no KV memory between decodes, so an input must be one batch.
        architecture = model.metadata("general.architecture") or ""
        can_split = "bert" not in architecture and model.metadata(f"{architecture}.attention.causal") != "false"
        n_batch = min(N_BATCH, n_ctx) if can_split else n_ctx
        counts = (n_threads,) if n_threads else candidate_thread_counts(psutil.cpu_count(logical=False) or 1)
        self._n_threads = counts[-1]
        self._context = _open_context(model, n_ctx, n_batch, counts[-1], can_split=can_split)
        self._batch = NativeBatch(n_batch)
        try:
            self._read_properties(model, n_ctx, n_batch, counts, can_split=can_split)
        except BaseException:
            self._free_context()
            raise

    def _read_properties(
        self, model: NativeModel, n_ctx: int, n_batch: int, counts: tuple[int, ...], *, can_split: bool
    ) -> None:
        architecture = model.metadata("general.architecture") or ""
        self._memory = C.llama_get_memory(self._context)
        self._n_dimensions = C.llama_model_n_embd_out(model.pointer)
        kind = model.metadata(f"{architecture}.pooling_type") or ""
        self.limits = EmbedderLimits(
            n_ctx=n_ctx,
            n_batch=n_batch,
            n_slots=N_SLOTS,
            n_dimensions=self._n_dimensions,
            n_tokens=model.n_vocab,
            can_split=can_split,
            pooling=POOLINGS.get(int(kind) if kind.isdigit() else -1, "mean"),
            thread_counts=counts,
        )
        try:
            size_bytes = total_size(model.path)
        except OSError as error:
            raise ModelFileError(model.path, f"the file cannot be read ({error.strerror})") from error
        self.info = EmbedderInfo(display_name(model.path.stem), model.path, size_bytes, n_ctx, self._n_dimensions)
        self.tokenize = model.tokenize

    def embed(self, chunks: Sequence[Chunk], n_threads: int) -> npt.NDArray[np.float32]:
        if n_threads != self._n_threads:
            C.llama_set_n_threads(self._context, n_threads, n_threads)
            self._n_threads = n_threads
        result = C.llama_decode(self._context, self._batch.fill(chunks))
        if result != 0:
            raise NativeFailure(take_error_message() or f"llama_decode returned {result}")
        n_rows = sum(len(chunk.tokens) for chunk in chunks)
        pointer = C.llama_get_embeddings(self._context)
        if not pointer:
            raise NativeFailure("the model gave no embeddings")
        return np.ctypeslib.as_array(pointer, (n_rows, self._n_dimensions)).copy()

    def clear(self, slot: int) -> None:
        if self._memory:
            C.llama_memory_seq_rm(self._memory, slot, -1, -1)

    def close(self) -> None:
        self._free_context()
        if self._owns_model:
            self._model.close()

    def _free_context(self) -> None:
        self._batch.close()
        C.llama_free(self._context)


def _open_context(model: NativeModel, n_ctx: int, n_batch: int, n_threads: int, *, can_split: bool) -> int:
    params = C.llama_context_default_params()
    # Inputs that are computed in several slices stay in KV memory between them; others need a single batch.
    params.n_ctx = n_ctx + (n_batch if can_split else 0)
    params.n_batch = params.n_ubatch = params.n_outputs_max = n_batch
    params.n_seq_max = N_SLOTS
    params.n_threads = params.n_threads_batch = n_threads
    params.embeddings = True
    params.pooling_type = C.LLAMA_POOLING_TYPE_NONE
    params.kv_unified = True
    params.swa_full = True
    params.no_perf = True
    context = C.llama_init_from_model(model.pointer, params)
    if not context:
        raise ModelFileError(model.path, take_error_message() or "there is not enough memory for its embeddings")
    return int(context)

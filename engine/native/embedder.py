"""Contexts of llama.cpp that compute embeddings, with an embedding model or with the chat model's weights, or
the scores of a reranking model.

For embeddings, a context returns one row per token. EmbedQueue pools the rows, so that a long input can be computed in
slices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.backend import Chunk, EmbedderLimits, LoadSettings, NativeFailure, Pooling, RankFormat
from engine.errors import InvalidSettings, ModelFileError, Reason
from engine.files.display_name import display_name
from engine.library.load_settings_check import check_settings
from engine.library.memory_estimate import choose_context_length
from engine.library.split_files import read_model, total_size
from engine.native.card_guard import CardGuard
from engine.native.context import NativeContext, context_params
from engine.native.llama import C
from engine.native.model import NativeModel
from engine.scheduler.thread_tuner import thread_counts
from engine.status import EmbedderInfo

N_CTX = 2048
"""Maximum number of tokens in one input, unless the load settings contain another number."""

N_BATCH = 256
"""Maximum number of tokens in one decode, if inputs can be split."""

N_SLOTS = 16

SOFTMAX_HEADS = ("qwen3", "qwen3vl")
"""Architectures for which llama.cpp applies a softmax to the output of the ranking head."""

POOLINGS: dict[int, Pooling] = {
    C.LLAMA_POOLING_TYPE_MEAN: "mean",
    C.LLAMA_POOLING_TYPE_CLS: "cls",
    C.LLAMA_POOLING_TYPE_LAST: "last",
    C.LLAMA_POOLING_TYPE_RANK: "rank",
}


def open_embedder(
    path: Path, settings: LoadSettings, on_progress: Callable[[float], bool], *, ranks: bool = False
) -> NativeEmbedder:
    """See `engine.backend.OpenEmbedder`. Called on the native thread, the one that decodes."""
    header = read_model(path)
    check_settings(settings, header)
    for name in ("kv_type_k", "kv_type_v", "flash_attention"):
        if getattr(settings, name) != getattr(LoadSettings(), name):
            raise InvalidSettings(name, "an embedding model supports only the default")
    is_ranker = header.number("pooling_type") == C.LLAMA_POOLING_TYPE_RANK
    if is_ranker and not ranks:
        raise ModelFileError(path, "this model ranks texts, it does not embed them")
    if ranks and not is_ranker:
        raise ModelFileError(path, "this model does not rank texts")
    if ranks and not any(name.startswith("cls.") for name in header.tensor_bytes):
        raise ModelFileError(path, "this model has no ranking head")
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

    def __init__(
        self, model: NativeModel, n_ctx: int, n_threads: int, *, owns_model: bool, guard: CardGuard | None = None
    ) -> None:
        self._model = model
        self._owns_model = owns_model
        # With bidirectional attention there is no KV memory between decodes, so one decode must compute a whole input.
        architecture = model.metadata("general.architecture") or ""
        can_split = "bert" not in architecture and model.metadata(f"{architecture}.attention.causal") != "false"
        n_batch = min(N_BATCH, n_ctx) if can_split else n_ctx
        counts = thread_counts(n_threads)
        pooling = model.metadata(f"{architecture}.pooling_type") or ""
        pooled = POOLINGS.get(int(pooling) if pooling.isdigit() else -1, "mean")
        self._ranks = owns_model and pooled == "rank"
        count = C.llama_model_n_cls_out if self._ranks else C.llama_model_n_embd_out
        self._n_dimensions: int = count(model.pointer)
        self.rank_format = rank_format(model, architecture) if self._ranks else RankFormat()
        self.limits = EmbedderLimits(
            n_ctx=n_ctx,
            n_batch=n_batch,
            n_slots=N_SLOTS,
            n_dimensions=self._n_dimensions,
            n_tokens=model.n_vocab,
            can_split=can_split,
            pooling=pooled if pooled != "rank" or self._ranks else "mean",
            thread_counts=counts,
        )
        self.info = EmbedderInfo(
            display_name(model.path.stem), model.path, _file_size(model.path), n_ctx, self._n_dimensions
        )
        self.tokenize = model.tokenize
        # An input that is computed in several slices needs KV memory for the whole input; other inputs need KV memory
        # for one batch.
        params = context_params(n_ctx + (n_batch if can_split else 0), n_batch, N_SLOTS, counts[-1])
        params.n_outputs_max = n_batch
        params.embeddings = True
        params.pooling_type = C.LLAMA_POOLING_TYPE_RANK if self._ranks else C.LLAMA_POOLING_TYPE_NONE
        self._context = NativeContext(model, params, guard=guard)

    def embed(self, chunks: Sequence[Chunk], n_threads: int) -> npt.NDArray[np.float32]:
        self._context.decode(chunks, n_threads)
        if self._ranks:
            return np.stack([self._head_output(chunk.slot) for chunk in chunks])
        n_rows = sum(len(chunk.tokens) for chunk in chunks)
        pointer = C.llama_get_embeddings(self._context.pointer)
        if not pointer:
            raise NativeFailure("the model gave no embeddings")
        return np.ctypeslib.as_array(pointer, (n_rows, self._n_dimensions)).copy()

    def _head_output(self, slot: int) -> npt.NDArray[np.float32]:
        pointer = C.llama_get_embeddings_seq(self._context.pointer, slot)
        if not pointer:
            raise NativeFailure("the model gave no score")
        return np.ctypeslib.as_array(pointer, (self._n_dimensions,)).copy()

    def clear(self, slot: int) -> None:
        self._context.clear(slot)

    def close(self) -> None:
        self._context.close()
        if self._owns_model:
            self._model.close()


def rank_format(model: NativeModel, architecture: str) -> RankFormat:
    """The prompt of a reranking model: the template "rerank" in its file, or as llama.cpp builds it without one."""
    template = C.llama_model_chat_template(model.pointer, b"rerank")
    vocab = model.vocab
    end, separator = C.llama_vocab_eos(vocab), C.llama_vocab_sep(vocab)
    last = (end if end >= 0 else separator,) if C.llama_vocab_get_add_eos(vocab) else ()
    return RankFormat(
        template=template.decode(errors="replace") if template else "",
        first=(C.llama_vocab_bos(vocab),) if C.llama_vocab_get_add_bos(vocab) else (),
        middle=(*last, separator) if C.llama_vocab_get_add_sep(vocab) else last,
        last=last,
        control_texts=model.vocabulary().control_texts,
        has_probabilities=architecture in SOFTMAX_HEADS,
    )


def _file_size(path: Path) -> int:
    """Total size of the model's files in bytes. Raises ModelFileError."""
    try:
        return total_size(path)
    except OSError as error:
        raise ModelFileError(path, Reason("the file cannot be read ({why})", why=error.strerror)) from error

"""What a model will take in memory, foreseen from its header, and whether the machine has it."""

from __future__ import annotations

import psutil

from engine.backend import LoadSettings
from engine.errors import NotEnoughMemory
from engine.library.gguf_header import GgufHeader
from engine.library.kv_size import cell_bytes, state_bytes
from engine.status import MemoryEstimate

N_CTX_DEFAULT = 8192

MIN_CTX = 512
"""A context is not made shorter than this to fit."""

MARGIN_BYTES = 128 << 20
"""Left to others, and for what an account forgets."""

PAD = 256
"""llama.cpp rounds a context up to whole multiples."""

ENTRY_BYTES, ENTRY_BYTES_UNIGRAM = 165, 530
"""What llama.cpp keeps for a word of the vocabulary, or for a rule that merges two, with the 18 bytes of the file's
header that stay mapped. Measured on the vocabularies of eleven families: 130 to 180, and 515 where it builds a trie."""

OWN_BYTES = 13 << 20
"""Graphs, thread stacks, pages of its code, what the allocator does not give back."""


def account(
    header: GgufHeader, settings: LoadSettings, n_ctx: int, *, n_slots: int, n_batch: int, n_outputs: int
) -> MemoryEstimate:
    """For a context of `n_ctx` tokens, with what is free now. Keeps all of a sliding window, as our contexts do."""
    n_cells = -(-n_ctx // PAD) * PAD
    kv = n_cells * cell_bytes(header, settings.kv_type_k, settings.kv_type_v) + n_slots * state_bytes(header)
    return MemoryEstimate(
        weights_bytes=sum(header.tensor_bytes.values()),
        kv_bytes=kv,
        compute_bytes=_compute_bytes(header, settings, n_cells, n_batch, n_outputs),
        available=int(psutil.virtual_memory().available),
        other_bytes=_other_bytes(header),
    )


def choose_context_length(
    header: GgufHeader, settings: LoadSettings, *, n_slots: int, n_batch: int, n_outputs: int
) -> tuple[int, int, MemoryEstimate]:
    """The context to open, the one that was wanted, and the account of the first. Only a context that nobody asked for
    by number is made shorter. Raises NotEnoughMemory."""
    n_train = header.number("context_length") or N_CTX_DEFAULT
    wanted = n_ctx = settings.n_ctx or min(n_train, N_CTX_DEFAULT)
    while True:
        foreseen = account(header, settings, n_ctx, n_slots=n_slots, n_batch=n_batch, n_outputs=n_outputs)
        if foreseen.headroom >= MARGIN_BYTES:
            return n_ctx, wanted, foreseen
        if settings.n_ctx or n_ctx <= MIN_CTX:
            raise NotEnoughMemory(foreseen.needed + MARGIN_BYTES, foreseen.available)
        n_ctx = max(MIN_CTX, n_ctx // 2)


def _compute_bytes(header: GgufHeader, settings: LoadSettings, n_cells: int, n_batch: int, n_outputs: int) -> int:
    """The largest of what is in memory at one time within a decode, and two copies of the logits' rows. Measured within
    a fifth on Llama-like models; it is small beside the rest."""
    n_vocab = _whole(header.values.get("tokenizer.ggml.tokens"))
    n_embd, n_layers = header.number("embedding_length"), header.number("block_count")
    n_ff = max(header.per_layer("feed_forward_length", n_layers), default=0)
    n_heads = max(header.per_layer("attention.head_count", n_layers), default=0)
    mask = n_cells * n_batch * 2
    scores = 0 if settings.flash_attention != "off" and n_heads else n_cells * n_batch * n_heads * 4
    rows = n_outputs * n_vocab * 4
    feeding = n_batch * (2 * n_ff + 3 * n_embd) * 4
    return max(feeding + mask, scores + 2 * mask, rows) + rows // 2


def _other_bytes(header: GgufHeader) -> int:
    """A quarter of what a small model with a large vocabulary takes."""
    n_entries = sum(_whole(header.values.get(f"tokenizer.ggml.{kind}")) for kind in ("tokens", "merges"))
    per_entry = ENTRY_BYTES_UNIGRAM if header.values.get("tokenizer.ggml.model") == "t5" else ENTRY_BYTES
    return n_entries * per_entry + OWN_BYTES


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0

"""Estimates the memory use of a model from its header, and chooses a context length that fits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import psutil

from engine.backend import LoadSettings
from engine.devices.device import Device
from engine.devices.offload_plan import OffloadPlanner
from engine.errors import NotEnoughMemory
from engine.library.gguf_header import GgufHeader
from engine.library.kv_size import cell_bytes, state_bytes
from engine.library.mtp_layers import loaded_part, uses_mtp
from engine.status import MemoryEstimate

N_CTX_DEFAULT = 8192

MIN_CTX = 512
"""The context is not shortened below this length to make a model fit."""

MARGIN_BYTES = 128 << 20
"""Memory that must remain free, for other programs and for what the estimate misses."""

CTX_ALIGNMENT = 256
"""llama.cpp rounds the context length up to a multiple of this."""

ENTRY_BYTES, ENTRY_BYTES_UNIGRAM = 165, 530
"""Bytes that llama.cpp uses for each token and each merge rule of a vocabulary, including 18 bytes of the mapped file
header.

The second value is for unigram vocabularies, for which llama.cpp also builds a trie. Measured on the vocabularies of
eleven model families: 130 to 180 bytes, and 515 for unigram vocabularies."""

OVERHEAD_BYTES = 13 << 20
"""Memory for graphs, thread stacks, pages of code, and memory that the allocator does not return."""


N_SLOTS = 33
"""The number of sequences in a llama.cpp context. One is for background work. Each of the others holds a running
request or a cached prefix.

If the model has no recurrent state, all sequences share one KV cache, so more sequences need no more memory."""

N_SLOTS_STATEFUL = 17
"""The number of sequences for recurrent and hybrid models, where each sequence needs a state of its own."""

N_OUTPUTS = 64
"""The largest number of rows of logits from one decode."""

N_RUNNING = 16
"""Maximum number of sequences that run at the same time. With more, each answer would be generated more slowly than a
user reads."""

N_BATCH = 256
"""The largest number of tokens in one decode.

Compared with 512, prompt processing is 3 % slower, and cancelling takes half as long."""

N_BATCH_CARD = 512
"""The same if graphics cards compute the whole model: they need more tokens at a time to be busy."""


class ContextShape(TypedDict):
    """The numbers of sequences, batch tokens and output rows with which a llama.cpp context is created."""

    n_slots: int
    n_batch: int
    n_outputs: int


def context_shape(header: GgufHeader) -> ContextShape:
    """The shape of the context for a model with this header. Models with a recurrent state get fewer sequences."""
    return ContextShape(
        n_slots=N_SLOTS_STATEFUL if state_bytes(header) else N_SLOTS, n_batch=N_BATCH, n_outputs=N_OUTPUTS
    )


def estimate_memory(
    header: GgufHeader,
    settings: LoadSettings,
    n_ctx: int,
    *,
    n_slots: int,
    n_batch: int,
    n_outputs: int,
    devices: Sequence[Device] = (),
    planner: OffloadPlanner | None = None,
    draft: GgufHeader | None = None,
) -> MemoryEstimate:
    """Estimates the memory for a context of `n_ctx` tokens, and reads how much memory is available now. Plans which
    layers the graphics cards `devices` compute; with a `planner`, those of its devices.

    Layers with a sliding window are counted with the whole context, because Inglenook creates its contexts with
    `swa_full`. MTP layers are counted if they are used. `draft` is the header of the draft model."""
    has_mtp, header = uses_mtp(header, settings), loaded_part(header, settings)
    n_cells = -(-n_ctx // CTX_ALIGNMENT) * CTX_ALIGNMENT
    kv = n_cells * cell_bytes(header, settings.kv_type_k, settings.kv_type_v) + n_slots * state_bytes(header)
    compute = _compute_bytes(header, settings, n_cells, n_batch, n_outputs)
    if has_mtp:  # they have a context of their own
        compute += _compute_bytes(header, settings, n_cells, min(n_batch, N_BATCH), N_RUNNING)
    planner = planner or OffloadPlanner(header, settings, devices)
    return MemoryEstimate(
        weights_bytes=sum(header.tensor_bytes.values()),
        kv_bytes=kv,
        compute_bytes=compute,
        available=int(psutil.virtual_memory().available),
        other_bytes=_other_bytes(header),
        offload=planner.plan(n_cells, n_slots, compute),
        draft_bytes=_draft_bytes(draft, n_ctx) if draft is not None else 0,
    )


def counted_draft(header: GgufHeader, settings: LoadSettings, draft: GgufHeader | None) -> GgufHeader | None:
    """The header of the draft model, or None if the model verifies no drafts, so that it is not loaded."""
    has_rollback = not state_bytes(header) and not header.number("attention.sliding_window")
    return draft if settings.drafts and has_rollback else None


def _draft_bytes(header: GgufHeader, n_ctx: int) -> int:
    """Estimates the memory of a draft model. The processor computes it."""
    shape = ContextShape(n_slots=N_RUNNING, n_batch=N_BATCH, n_outputs=N_RUNNING)
    return estimate_memory(header, LoadSettings(drafts=False), n_ctx, **shape).needed


def choose_context_length(
    header: GgufHeader,
    settings: LoadSettings,
    *,
    n_slots: int,
    n_batch: int,
    n_outputs: int,
    devices: Sequence[Device] = (),
    draft: GgufHeader | None = None,
) -> tuple[int, int, MemoryEstimate]:
    """Returns the context length to use, the wanted context length, and the memory estimate for the length to use.

    A length that the user has set is not shortened. Raises NotEnoughMemory."""
    n_train = header.number("context_length") or N_CTX_DEFAULT
    wanted = n_ctx = settings.n_ctx or min(n_train, N_CTX_DEFAULT)
    while True:
        estimate = estimate_memory(
            header,
            settings,
            n_ctx,
            n_slots=n_slots,
            n_batch=n_batch,
            n_outputs=n_outputs,
            devices=devices,
            draft=draft,
        )
        if estimate.headroom >= MARGIN_BYTES:
            return n_ctx, wanted, estimate
        if settings.n_ctx or n_ctx <= MIN_CTX:
            raise NotEnoughMemory(estimate.needed + MARGIN_BYTES, estimate.available)
        n_ctx = max(MIN_CTX, n_ctx // 2)


def _compute_bytes(header: GgufHeader, settings: LoadSettings, n_cells: int, n_batch: int, n_outputs: int) -> int:
    """Estimates the compute buffers: the largest set of buffers that one decode uses at the same time, plus a share for
    the logits.

    For Llama-like models, the estimate differs from the measured size by less than 20 %. These buffers are small
    compared to weights and KV cache."""
    n_vocab = _int_or_zero(header.values.get("tokenizer.ggml.tokens"))
    n_embd, n_layers = header.number("embedding_length"), header.number("block_count")
    n_ff = max(header.per_layer("feed_forward_length", n_layers), default=0)
    n_heads = max(header.per_layer("attention.head_count", n_layers), default=0)
    mask = n_cells * n_batch * 2
    scores = 0 if settings.flash_attention != "off" and n_heads else n_cells * n_batch * n_heads * 4
    rows = n_outputs * n_vocab * 4
    feeding = n_batch * (2 * n_ff + 3 * n_embd) * 4
    return max(feeding + mask, scores + 2 * mask, rows) + rows // 2


def _other_bytes(header: GgufHeader) -> int:
    """Estimates the memory for the vocabulary and the overhead.

    For small models with a large vocabulary, this is a quarter of the total."""
    n_entries = sum(_int_or_zero(header.values.get(f"tokenizer.ggml.{kind}")) for kind in ("tokens", "merges"))
    per_entry = ENTRY_BYTES_UNIGRAM if header.values.get("tokenizer.ggml.model") == "t5" else ENTRY_BYTES
    return n_entries * per_entry + OVERHEAD_BYTES


def _int_or_zero(value: object) -> int:
    return value if isinstance(value, int) else 0

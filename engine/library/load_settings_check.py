"""Checks, before a model is loaded, whether it can be loaded with the given settings."""

from __future__ import annotations

import os
import sys

from engine.backend import LoadSettings
from engine.errors import InvalidSettings, Reason
from engine.library.adapter_file import check_number
from engine.library.gguf_header import GgufHeader
from engine.library.kv_size import head_sizes

MAX_CTX = 1 << 24
MAX_THREADS = 1024
MAX_LAYERS = 10_000

KV_BLOCK = 32
"""The number of elements in a block of a quantised KV cache. An attention head must consist of whole blocks."""


def check_settings(settings: LoadSettings, header: GgufHeader) -> None:
    """Raises InvalidSettings if the model cannot be loaded with these settings."""
    check_number(settings.adapters)
    _check_range("n_ctx", settings.n_ctx, MAX_CTX)
    _check_range("n_threads", settings.n_threads, MAX_THREADS)
    _check_range("n_gpu_layers", settings.n_gpu_layers or 0, MAX_LAYERS)
    if settings.kv_type_v != "f16" and settings.flash_attention == "off":
        raise InvalidSettings("kv_type_v", Reason("{kind} needs flash attention", kind=settings.kv_type_v))
    for field, kind, sizes in zip(
        ("kv_type_k", "kv_type_v"), (settings.kv_type_k, settings.kv_type_v), head_sizes(header), strict=True
    ):
        if kind != "f16" and sizes % KV_BLOCK:
            raise InvalidSettings(
                field,
                Reason(
                    "the model's attention heads of size {sizes} cannot be stored as {kind}", sizes=sizes, kind=kind
                ),
            )
    if settings.mlock:
        _check_mlock(sum(header.tensor_bytes.values()))


def _check_range(field: str, value: int, largest: int) -> None:
    if not 0 <= value <= largest:
        raise InvalidSettings(field, Reason("{value} is not between 0 and {largest}", value=value, largest=largest))


def _check_mlock(n_bytes: int) -> None:
    """Raises InvalidSettings if the system does not allow the process to lock `n_bytes` of memory.

    llama.cpp would only log a warning and continue without locking."""
    if sys.platform == "win32":
        return
    import resource

    allowed, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if os.geteuid() != 0 and allowed != resource.RLIM_INFINITY and allowed < n_bytes:
        limits = {"allowed": allowed // 10**6, "size": n_bytes // 10**6}
        reason = Reason("the system allows locking {allowed} MB, the model has {size} MB", **limits)
        raise InvalidSettings("mlock", reason)

"""Implements `engine.backend.Backend` with llama.cpp: a model and one context, whose KV cache all sequences share."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine.adapter import AdapterScales
from engine.backend import CardFailure, Chunk, KvType, Limits, LoadSettings, NativeFailure
from engine.devices.device import Device, without_duplicates
from engine.devices.offload import NO_OFFLOAD, Offload
from engine.devices.offload_plan import usable_devices, with_less_memory
from engine.errors import AdapterError, DraftModelError, EngineError, ModelFileError, NotEnoughMemory, Reason
from engine.files.display_name import display_name
from engine.library.adapter_file import ADAPTERS, usable_adapters
from engine.library.fingerprint import fingerprint
from engine.library.gguf_header import GgufHeader
from engine.library.load_settings_check import check_settings
from engine.library.memory_estimate import (
    N_BATCH_CARD,
    N_OUTPUTS,
    N_RUNNING,
    N_SLOTS,
    N_SLOTS_STATEFUL,
    choose_context_length,
    context_shape,
    counted_draft,
)
from engine.library.mtp_layers import mtp_cost, mtp_refusal, uses_mtp, without_mtp
from engine.library.split_files import read_model, total_size
from engine.native.adapters import NativeAdapters
from engine.native.card_guard import card_guard
from engine.native.context import NativeContext, context_params
from engine.native.devices import devices
from engine.native.draft_model import NativeDraftModel, open_draft_model
from engine.native.embedder import N_CTX, NativeEmbedder
from engine.native.llama import C, start
from engine.native.model import NativeModel
from engine.native.mtp import MISSING_FUNCTIONS, NativeMtp, is_available
from engine.native.openmp import free_threads
from engine.native.sampler import NativeSampler
from engine.native.step_choices import step_choices
from engine.requests import Sampling
from engine.scheduler.thread_tuner import thread_counts
from engine.status import MemoryEstimate, ModelInfo

if TYPE_CHECKING:
    from llguidance import LLTokenizer

N_RUNNING_STATEFUL = 8
"""Maximum number of running sequences for recurrent and hybrid models. It is lower, because checkpoints (copies of
prefixes) of such a model also occupy slots."""

DELIVERY_INTERVAL_S = 0.033
"""See `Limits.delivery_interval_s`. The window repaints a growing answer at most this often."""

CARD_SHARES: tuple[float, ...] = (1.0, 0.75, 0.5, 0.25, 0.0)
"""If a model cannot be loaded on graphics cards, it is loaded again with these shares of the memory that was foreseen
there, and at last without cards."""

KV_TYPES: dict[KvType, int] = {"f16": C.GGML_TYPE_F16, "q8_0": C.GGML_TYPE_Q8_0, "q4_0": C.GGML_TYPE_Q4_0}
FLASH_ATTENTION = {
    "auto": C.LLAMA_FLASH_ATTN_TYPE_AUTO,
    "on": C.LLAMA_FLASH_ATTN_TYPE_ENABLED,
    "off": C.LLAMA_FLASH_ATTN_TYPE_DISABLED,
}


def open_native(path: Path, settings: LoadSettings, on_progress: Callable[[float], bool]) -> NativeBackend:
    """See `engine.backend.OpenBackend`. Called on the native thread, the one that decodes."""
    header = read_model(path)
    check_settings(settings, header)
    start()  # loads the compute library that the system information names
    backend = _open_with_usable_adapters(path, header, settings, on_progress)
    try:
        try:
            backend.open_draft_model(settings)
        except EngineError as error:
            assert settings.draft_model is not None
            memory = replace(backend.info.memory, draft_bytes=0) if backend.info.memory is not None else None
            failure = DraftModelError(settings.draft_model, error)
            backend.info = replace(backend.info, memory=memory, draft_error=failure)
    except BaseException:
        backend.close()
        raise
    return backend


def _open_with_usable_adapters(
    path: Path, header: GgufHeader, settings: LoadSettings, on_progress: Callable[[float], bool]
) -> NativeBackend:
    """Loads the model without the adapters that cannot be used."""
    usable, n_bytes, unusable = usable_adapters(settings.adapters, header)
    settings, errors = replace(settings, adapters=usable), list(unusable)
    all_weights = replace(header, tensor_bytes={**header.tensor_bytes, ADAPTERS: n_bytes})
    while True:
        try:
            backend = _open_with_mtp(path, all_weights, settings, on_progress)
        except AdapterError as error:
            errors.append(error)
        except ModelFileError as error:
            if error.path not in (adapter.path for adapter in settings.adapters):
                raise
            errors.append(AdapterError(error.path, error.reason))
        else:
            backend.info = replace(backend.info, adapter_errors=tuple(errors))
            return backend
        settings = settings.without_adapter(errors[-1].path)


def _open_with_mtp(
    path: Path, header: GgufHeader, settings: LoadSettings, on_progress: Callable[[float], bool]
) -> NativeBackend:
    """Loads the model with its MTP layers if they can be used, otherwise without them."""
    refusal = mtp_refusal(header, settings)
    if uses_mtp(header, settings):
        if not is_available():
            refusal = MISSING_FUNCTIONS
        elif not _has_room_for_mtp(header, settings):
            refusal = "there is not enough memory for them"
        else:
            try:
                return _open_where_it_fits(path, header, settings, on_progress)
            except ModelFileError as error:
                if error.path != path:  # an adapter
                    raise
                refusal = error.reason
        header = without_mtp(header)
    backend = _open_where_it_fits(path, header, settings, on_progress)
    backend.info = replace(backend.info, mtp_refusal=refusal)
    return backend


def _has_room_for_mtp(header: GgufHeader, settings: LoadSettings) -> bool:
    """Whether the MTP layers fit into memory without shortening the context."""
    cards = usable_devices(without_duplicates(devices()), settings)
    try:
        n_ctx, wanted, _ = _plan(header, settings, cards)
        return n_ctx == wanted or n_ctx == _plan(without_mtp(header), settings, cards)[0]
    except NotEnoughMemory:
        return False


def _open_where_it_fits(
    path: Path, header: GgufHeader, settings: LoadSettings, on_progress: Callable[[float], bool]
) -> NativeBackend:
    """Loads as many layers on graphics cards as fit there, and again with fewer if that fails. While a card is lost,
    loads none."""
    cards = usable_devices(without_duplicates(devices()), settings)
    failed = NO_OFFLOAD
    guard, shares = card_guard(), CARD_SHARES
    if guard is not None and guard.has_lost_card:
        failed, shares = _plan(header, settings, cards)[2].offload, CARD_SHARES[-1:]
    for share in shares:
        if failed.devices:
            cards = with_less_memory(cards, failed, share)
            settings = replace(settings, n_gpu_layers=None, n_cpu_experts=None)
        n_ctx, wanted, foreseen = _plan(header, settings, cards)
        try:
            backend = _open(path, header, replace(settings, n_ctx=n_ctx), on_progress, foreseen)
        except ModelFileError:
            if not foreseen.offload.devices:
                raise
            failed = failed if failed.devices else foreseen.offload
            continue
        n_ctx_wanted = wanted if wanted > n_ctx else 0
        backend.info = replace(backend.info, n_ctx_wanted=n_ctx_wanted, n_layers_wanted=failed.n_layers)
        return backend
    raise AssertionError("the last try uses no card")


def _plan(header: GgufHeader, settings: LoadSettings, cards: Sequence[Device]) -> tuple[int, int, MemoryEstimate]:
    """Plans with the draft model; without it if there is too little memory for both, or if its file is unusable. Then
    opening it fails later."""
    draft = _draft_header(header, settings)
    if draft is not None:
        try:
            return _plan_for(header, settings, cards, draft)
        except NotEnoughMemory:
            pass
    return _plan_for(header, settings, cards, None)


def _draft_header(header: GgufHeader, settings: LoadSettings) -> GgufHeader | None:
    if settings.draft_model is None:
        return None
    try:
        return counted_draft(header, settings, read_model(settings.draft_model))
    except ModelFileError:
        return None


def _plan_for(
    header: GgufHeader, settings: LoadSettings, cards: Sequence[Device], draft: GgufHeader | None
) -> tuple[int, int, MemoryEstimate]:
    """See `choose_context_length`. If all layers fit on the cards, the plan is for the larger batches that suit cards,
    unless the model then no longer fits."""
    shape = context_shape(header)
    plan = choose_context_length(header, settings, devices=cards, draft=draft, **shape)
    if not plan[2].offload.is_whole:
        return plan
    shape["n_batch"] = N_BATCH_CARD
    larger = choose_context_length(header, settings, devices=cards, draft=draft, **shape)
    return larger if larger[2].offload.is_whole and larger[0] == plan[0] else plan


def _open(
    path: Path,
    header: GgufHeader,
    settings: LoadSettings,
    on_progress: Callable[[float], bool],
    memory: MemoryEstimate,
) -> NativeBackend:
    try:
        mark, size_bytes = fingerprint(path, _state_kind(settings, memory.offload)), total_size(path)
    except OSError as error:
        raise ModelFileError(
            path, Reason("the file cannot be read ({why})", why=error.strerror), is_transient=True
        ) from error
    has_mtp = uses_mtp(header, settings)
    model = NativeModel(path, on_progress, settings, offload=memory.offload, load_mtp=has_mtp)
    try:
        backend = NativeBackend(model, settings, memory, mark, size_bytes)
    except BaseException:
        model.close()
        raise
    try:
        if has_mtp:
            backend.open_mtp(mtp_cost(header))
    except BaseException:
        backend.close()
        raise
    return backend


def _state_kind(settings: LoadSettings, offload: Offload) -> str:
    """Identifies, together with the model file, the KV states that can be restored. Those of another build, processor,
    card or prompt cut are rounded differently. Raises OSError if an adapter cannot be read."""
    build = C.llama_print_system_info().decode(errors="replace")
    cut = step_choices(offload, settings).prompt_cut
    kind = f"{settings.kv_type_k} {settings.kv_type_v} {settings.flash_attention} {cut} {build}"
    cards = [f"{offload.devices} {offload.split}"] if offload.devices else []
    adapters = (f"{fingerprint(each.path, 'lora').hex()} {each.scale}" for each in settings.adapters if each.scale)
    return " ".join([kind, *cards, *adapters])


class NativeBackend:
    """See `engine.backend.Backend`."""

    def __init__(
        self, model: NativeModel, settings: LoadSettings, memory: MemoryEstimate, fingerprint: bytes, size_bytes: int
    ) -> None:
        """Takes ownership of `model`, unless the constructor raises ModelFileError or AdapterError."""
        self._model = model
        self.draft_model: NativeDraftModel | NativeMtp | None = None
        self._mtp: NativeMtp | None = None
        self.fingerprint = fingerprint
        self.vocabulary = model.vocabulary()
        self.chat_template = model.chat_template
        self.tokenize = model.tokenize
        self.piece = model.piece
        name = model.metadata("general.name") or display_name(model.path.stem)
        n_slots = N_SLOTS_STATEFUL if model.is_stateful else N_SLOTS
        choices = step_choices(memory.offload, settings)
        self._offload, self._is_interruptible = memory.offload, choices.is_interruptible
        params = context_params(settings.n_ctx, choices.n_batch, n_slots, choices.thread_counts[-1])
        self._params = params
        params.n_outputs_max = N_OUTPUTS
        params.type_k, params.type_v = KV_TYPES[settings.kv_type_k], KV_TYPES[settings.kv_type_v]
        params.flash_attn_type = FLASH_ATTENTION[choices.flash_attention]
        self._guard = card_guard() if self._offload.devices else None
        self._adapters = NativeAdapters(model, [adapter.path for adapter in settings.adapters])
        try:
            self._context = NativeContext(model, params, guard=self._guard)
        except BaseException:
            self._adapters.close()
            raise
        self.set_adapter_scales(tuple(adapter.scale for adapter in settings.adapters))
        self.limits = Limits(
            n_cells=C.llama_n_ctx(self._context.pointer),
            n_slots=n_slots,
            n_batch=choices.n_batch,
            n_running=N_RUNNING_STATEFUL if model.is_stateful else N_RUNNING,
            n_outputs=N_OUTPUTS,
            thread_counts=choices.thread_counts,
            supports_truncation=not model.is_stateful,
            uses_drafts=settings.drafts,
            sliding_window=C.llama_model_n_swa(model.pointer),
            cell_bytes=memory.kv_bytes // settings.n_ctx,
            prompt_cut=choices.prompt_cut,
            delivery_interval_s=DELIVERY_INTERVAL_S,
        )
        self.info = ModelInfo(
            id=display_name(model.path.stem),
            name=name,
            path=model.path,
            size_bytes=size_bytes,
            n_ctx=self.limits.n_cells,
            n_ctx_train=model.n_ctx_train,
            kv_bytes=memory.kv_bytes,
            memory=memory,
            loaded_at=time.time(),
            adapters=settings.adapters,
        )

    def open_mtp(self, cost: float) -> None:
        """Opens a context for the MTP layers that the model was loaded with. `cost` is `DraftModel.cost`. Raises
        ModelFileError."""
        self.draft_model = self._mtp = NativeMtp(
            self._model, self._context, self._params, N_RUNNING, cost, on_card=bool(self._offload.devices)
        )

    def open_draft_model(self, settings: LoadSettings) -> None:
        """Opens the draft model, if the settings have one and its drafts can be verified. Raises InvalidSettings,
        ModelFileError, NotEnoughMemory."""
        if settings.draft_model is not None and self.limits.supports_drafts:
            self.draft_model = open_draft_model(
                settings.draft_model,
                replace(settings, n_ctx=self.limits.n_cells),
                self._model,
                self.limits.n_running,
                thread_counts(settings.n_threads)[-1],  # the processor computes drafts
            )

    def constraint_tokenizer(self) -> LLTokenizer:
        # imported late, because this import loads llguidance, and the app's start must not wait for that
        from engine.native.constraint_tokenizer import open_tokenizer

        return open_tokenizer(self._model)

    def keep_model_loaded(self) -> AbstractContextManager[None]:
        return self._model.keep_loaded()

    def sampler(self, sampling: Sampling, history: Sequence[int]) -> NativeSampler:
        return NativeSampler(self._model, self._context, sampling, history)

    def decode(self, chunks: Sequence[Chunk], n_threads: int, *, interruptible: bool = False) -> None:
        try:
            self._context.decode(chunks, n_threads, interruptible=interruptible and self._is_interruptible)
            if self._mtp is not None:
                self._mtp.keep_states(chunks)
        except NativeFailure as error:
            if not self._offload.devices:
                raise
            raise CardFailure(str(error)) from error

    def set_adapter_scales(self, scales: AdapterScales) -> None:
        self._adapters.apply(self._context, scales)

    def allow_interruption(self) -> None:
        self._context.allow_interruption()

    def interrupt(self) -> None:
        self._context.interrupt()

    def logits(self, row: int) -> npt.NDArray[np.float32]:
        return self._context.logits(row)

    def clear(self, slot: int) -> None:
        self._context.clear(slot)
        if self._mtp is not None:
            self._mtp.clear(slot)

    def first_cached_token(self, slot: int) -> int:
        # Even with `swa_full`, llama.cpp overwrites the cells of tokens before the sliding window of their sequence.
        return max(0, int(C.llama_memory_seq_pos_min(self._context.memory, slot))) if self.limits.sliding_window else 0

    def reset(self) -> None:
        C.llama_memory_clear(self._context.memory, False)
        if self._mtp is not None:
            self._mtp.clear_all()

    def truncate(self, slot: int, n: int) -> None:
        if not C.llama_memory_seq_rm(self._context.memory, slot, n, -1):
            raise NativeFailure("a sequence could not be truncated")

    def copy(self, source: int, target: int, n: int) -> None:
        C.llama_memory_seq_cp(self._context.memory, source, target, 0, n if self.limits.supports_truncation else -1)

    def save(self, slot: int) -> memoryview:
        state = np.empty(C.llama_state_seq_get_size(self._context.pointer, slot), np.uint8)
        return state[: self._context.copy_state(C.llama_state_seq_get_data, state, slot)].data

    def restore(self, slot: int, state: memoryview) -> bool:
        data = np.frombuffer(state, np.uint8)
        if self._context.copy_state(C.llama_state_seq_set_data, data, slot) == len(data):
            return True
        self.clear(slot)
        return False

    def free_threads(self) -> None:
        free_threads()

    def open_embedder(self) -> NativeEmbedder:
        return NativeEmbedder(self._model, min(N_CTX, self.limits.n_cells), 0, owns_model=False, guard=self._guard)

    def close(self) -> None:
        if self.draft_model is not None:
            self.draft_model.close()
        self._context.close()
        self._adapters.close()
        self._model.close()
        if self._guard is not None and self._model.is_freed:
            self._guard.reconnect()

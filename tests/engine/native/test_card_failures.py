"""Models on graphics cards that fail: they are loaded with less on the card, and at last on the processor. The card is
not real: the processor computes what is planned for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.backend import CardFailure, Chunk, DraftTask, LoadSettings, NativeFailure
from engine.devices.device import Device
from engine.devices.offload import NO_OFFLOAD, Offload
from engine.errors import ModelFileError
from engine.library.memory_estimate import N_BATCH, N_BATCH_CARD
from engine.native.backend import NativeBackend, open_native
from engine.native.card_guard import CardGuard
from engine.native.context import NativeContext, context_params
from engine.native.model import NativeModel
from engine.native.mtp import NativeMtp
from engine.native.step_choices import PROMPT_CUT, step_choices
from tests.engine.native.test_open_failures import NativeObjectCounts
from tests.model_files.tiny_llama import write_llama
from tests.model_files.tiny_mtp import write_mtp_model

CARD = Device("Fake0", "A card", "Fake", "gpu", 7 << 30, 8 << 30)
WHOLE = Offload(("Fake0",), 5, 5)


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> list[Offload]:
    """The layers on the card of each try to load a model."""
    tries: list[Offload] = []

    def model(path: Path, *arguments: Any, offload: Offload = NO_OFFLOAD, **options: Any) -> NativeModel:
        tries.append(offload)
        return NativeModel(path, *arguments, offload=offload, **options)

    monkeypatch.setattr("engine.native.backend.devices", lambda: [CARD])
    monkeypatch.setattr("engine.native.backend.NativeModel", model)
    return tries


def load(folder: Path, settings: LoadSettings = LoadSettings(n_ctx=512)) -> NativeBackend:
    return open_native(write_llama(folder / "tiny.gguf"), settings, lambda progress: True)


def fail_on_card(monkeypatch: pytest.MonkeyPatch, tries: list[Offload], n_failures: int) -> None:
    """Makes the first contexts on the card fail."""
    n_left = n_failures

    def context(model: NativeModel, params: Any, *, guard: CardGuard | None) -> NativeContext:
        nonlocal n_left
        if tries[-1].devices and n_left:
            n_left -= 1
            raise ModelFileError(model.path, "out of memory")
        return NativeContext(model, params, guard=guard)

    monkeypatch.setattr("engine.native.backend.NativeContext", context)


def test_model_that_fits_is_loaded_on_the_card(tmp_path: Path, tries: list[Offload]) -> None:
    backend = load(tmp_path)
    memory = backend.info.memory
    assert memory is not None
    assert (memory.offload.is_whole, backend.info.n_layers_wanted) == (True, 0)
    assert (backend.limits.n_batch, backend.limits.thread_counts) == (N_BATCH_CARD, (1,))
    backend.close()


def test_load_that_fails_on_the_card_is_repeated_and_at_last_on_the_processor(
    tmp_path: Path, tries: list[Offload], monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = NativeObjectCounts(monkeypatch)
    fail_on_card(monkeypatch, tries, n_failures=100)
    backend = load(tmp_path)
    layers = [each.n_layers for each in tries]
    assert layers[-1] == 0
    assert len(layers) > 1
    assert layers == sorted(layers, reverse=True)
    assert backend.info.n_layers_wanted == tries[0].n_layers
    assert (backend.limits.n_batch, backend.limits.prompt_cut) == (N_BATCH, PROMPT_CUT)
    assert counts.alive == {"model": 1, "context": 1, "batch": 1}
    backend.close()
    assert counts.alive == {"model": 0, "context": 0, "batch": 0}


def test_load_that_fails_without_a_card_is_not_repeated(
    tmp_path: Path, tries: list[Offload], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(model: NativeModel, params: Any, *, guard: CardGuard | None) -> NativeContext:
        raise ModelFileError(model.path, "out of memory")

    monkeypatch.setattr("engine.native.backend.NativeContext", fail)
    with pytest.raises(ModelFileError):
        load(tmp_path, LoadSettings(n_ctx=512, devices=()))
    assert [each.devices for each in tries] == [()]


@pytest.mark.parametrize(("devices", "kind"), [(None, CardFailure), ((), NativeFailure)])
def test_failed_decode_says_whether_a_card_was_used(
    tmp_path: Path,
    tries: list[Offload],
    monkeypatch: pytest.MonkeyPatch,
    devices: tuple[str, ...] | None,
    kind: type[Exception],
) -> None:
    backend = load(tmp_path, LoadSettings(n_ctx=512, devices=devices))

    def fail(context: NativeContext, chunks: Sequence[Chunk], n_threads: int, **options: object) -> None:
        raise NativeFailure("llama_decode returned -3")

    monkeypatch.setattr(NativeContext, "decode", fail)
    with pytest.raises(NativeFailure) as raised:
        backend.decode([Chunk(0, 0, [1], sample_last=True)], 1)
    assert type(raised.value) is kind
    backend.close()


@pytest.mark.parametrize(("devices", "kind"), [(None, CardFailure), ((), NativeFailure)])
def test_failed_draft_of_mtp_layers_says_whether_a_card_was_used(
    tmp_path: Path,
    tries: list[Offload],
    monkeypatch: pytest.MonkeyPatch,
    devices: tuple[str, ...] | None,
    kind: type[Exception],
) -> None:
    path, settings = write_mtp_model(tmp_path / "mtp.gguf"), LoadSettings(n_ctx=512, devices=devices)
    backend = open_native(path, settings, lambda progress: True)
    mtp = backend.draft_model
    assert isinstance(mtp, NativeMtp)
    backend.decode([Chunk(0, 0, [1, 2], sample_last=True)], 1)

    def fail(context: NativeContext, chunks: Sequence[Chunk], n_threads: int, **options: object) -> None:
        raise NativeFailure("llama_decode returned -3")

    monkeypatch.setattr(NativeContext, "decode", fail)
    with pytest.raises(NativeFailure) as raised:
        mtp.draft([DraftTask("id", 0, [1, 2, 3], 2, 1)])
    assert type(raised.value) is kind
    backend.close()


@pytest.mark.parametrize("reconnects", [False, True])
def test_contexts_from_before_a_card_was_lost_are_never_freed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reconnects: bool
) -> None:
    """Another model on the card can still be loaded when the first one has connected to the card anew."""
    guard = object.__new__(CardGuard)
    guard.has_lost_card, guard.n_reconnected = True, 0
    monkeypatch.setattr(guard, "_reconnect", lambda: reconnects, raising=False)
    model = NativeModel(write_llama(tmp_path / "tiny.gguf"), lambda progress: True)
    counts = NativeObjectCounts(monkeypatch)
    before = NativeContext(model, context_params(64, 64, 1, 1), guard=guard)
    guard.reconnect()
    assert guard.has_lost_card is not reconnects
    after = NativeContext(model, context_params(64, 64, 1, 1), guard=guard)
    before.close()
    assert counts.alive["context"] == 2
    after.close()
    assert counts.alive["context"] == (1 if reconnects else 2)


def test_choices_for_steps_follow_from_what_computes_the_layers() -> None:
    settings = LoadSettings(n_threads=3)
    processor, card = step_choices(NO_OFFLOAD, settings), step_choices(WHOLE, settings)
    assert (processor.n_batch, processor.prompt_cut, processor.thread_counts) == (N_BATCH, PROMPT_CUT, (3,))
    assert processor.is_interruptible
    assert (card.n_batch, card.prompt_cut, card.thread_counts) == (N_BATCH_CARD, N_BATCH_CARD, (1,))
    assert not card.is_interruptible
    assert step_choices(Offload(("Fake0",), 5, 5, n_cpu_experts=1), settings) == processor
    divided = Offload(("Fake0",), 4, 5)
    assert step_choices(divided, settings) == replace(processor, flash_attention="on")
    assert step_choices(divided, LoadSettings(flash_attention="off")).flash_attention == "off"

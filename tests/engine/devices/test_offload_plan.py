"""Layers are divided among graphics cards and the processor by the sizes of tensors and the free memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.backend import LoadSettings
from engine.devices.device import Device
from engine.devices.offload import Offload
from engine.devices.offload_plan import SCREEN_BYTES, OffloadPlanner, free_for_model, plan_offload, with_less_memory
from engine.library.gguf_header import GgufHeader

MB = 1 << 20
N_LAYERS, N_CELLS = 10, 1024
LAYER, EXPERTS, OUTPUT, EMBEDDING = 100 * MB, 80 * MB, 50 * MB, 60 * MB
KV = N_CELLS * 2 * 64 * 2 * 4
"""Keys and values of a layer: 4 heads of 64 numbers of 2 bytes."""


def model(*, has_experts: bool = False, has_output: bool = True) -> GgufHeader:
    tensors = {"token_embd.weight": EMBEDDING, "output_norm.weight": 0}
    if has_output:
        tensors["output.weight"] = OUTPUT
    for i in range(N_LAYERS):
        tensors[f"blk.{i}.attn_q.weight"] = LAYER - EXPERTS
        name = "ffn_up_exps" if has_experts else "ffn_up"
        tensors[f"blk.{i}.{name}.weight"] = EXPERTS
    values: dict[str, str | int] = {
        "general.architecture": "llama",
        "llama.block_count": N_LAYERS,
        "llama.embedding_length": 256,
        "llama.attention.head_count": 4,
    }
    return GgufHeader(values, tensors)


def card(free_for_layers: int, name: str = "Vulkan0", total: int = 8 << 30) -> Device:
    """A card with this much memory left for a model."""
    device = Device(name, name, "Vulkan", "gpu", 0, total)
    return replace(device, memory_free=free_for_layers + SCREEN_BYTES + round(0.04 * total))


def plan(header: GgufHeader, *cards: Device, settings: LoadSettings = LoadSettings(), compute: int = 0) -> Offload:
    return plan_offload(header, settings, cards, N_CELLS, 1, compute)


WHOLE = N_LAYERS * (LAYER + KV) + OUTPUT


def test_whole_model_is_on_a_card_that_has_room_for_it() -> None:
    found = plan(model(), card(WHOLE))
    assert found.is_whole
    assert found.device_bytes == (WHOLE,)
    assert found.moved_bytes == WHOLE
    assert found.split == (N_LAYERS + 1,)


class CountingTensors(dict[str, int]):
    """Counts how often the tensors are read."""

    n_reads = 0

    def items(self) -> Any:
        self.n_reads += 1
        return super().items()


@pytest.mark.parametrize("has_experts", [False, True])
def test_planner_reads_the_tensors_once_for_all_context_lengths(has_experts: bool) -> None:
    header = model(has_experts=has_experts)
    tensors = CountingTensors(header.tensor_bytes)
    for free in range(0, WHOLE + LAYER, LAYER // 2):
        tensors.n_reads = 0
        planner = OffloadPlanner(replace(header, tensor_bytes=tensors), LoadSettings(), [card(free), card(LAYER)])
        for n_cells in (512, 2048, 65536):
            expected = plan_offload(header, LoadSettings(), [card(free), card(LAYER)], n_cells, 1, MB)
            assert planner.plan(n_cells, 1, MB) == expected
        assert tensors.n_reads == 1


def test_plan_of_the_processor_does_not_read_the_tensors() -> None:
    header = replace(model(), tensor_bytes=(tensors := CountingTensors(model().tensor_bytes)))
    assert plan(header) == Offload(n_all=N_LAYERS + 1)
    assert tensors.n_reads == 0


def test_one_byte_too_little_leaves_layers_with_the_processor() -> None:
    found = plan(model(), card(WHOLE - 1))
    assert not found.is_whole
    assert 0 < found.n_layers < N_LAYERS + 1
    assert found.device_bytes[0] <= WHOLE - 1


def test_compute_buffers_take_their_room_on_each_card() -> None:
    assert not plan(model(), card(WHOLE), compute=MB).is_whole
    found = plan(model(), card(WHOLE + MB), compute=MB)
    assert found.is_whole
    assert found.device_bytes == (WHOLE + MB,)
    assert found.moved_bytes == WHOLE


def test_output_layer_without_a_tensor_of_its_own_copies_the_embedding() -> None:
    assert plan(model(has_output=False), card(WHOLE - OUTPUT + EMBEDDING)).is_whole
    assert not plan(model(has_output=False), card(WHOLE - OUTPUT + EMBEDDING - 1)).is_whole


def test_experts_stay_with_the_processor_before_attention_does() -> None:
    found = plan(model(has_experts=True), card(WHOLE - 2 * EXPERTS))
    assert found.n_layers == N_LAYERS + 1
    # One more than the two that are missing: the card also needs room for a copy of a tensor.
    assert found.n_cpu_experts == 3
    assert not found.is_whole


def test_last_layers_are_on_the_card_if_not_even_attention_fits() -> None:
    attention = N_LAYERS * (LAYER - EXPERTS + KV) + OUTPUT + EXPERTS
    found = plan(model(has_experts=True), card(attention - 1))
    assert found.n_cpu_experts == N_LAYERS
    assert found.n_layers == N_LAYERS


def test_layers_are_divided_by_free_memory() -> None:
    found = plan(model(), card(3 * WHOLE, "A"), card(WHOLE, "B"))
    assert found.devices == ("A", "B")
    assert found.is_whole
    assert found.split[0] in (8, 9)
    assert sum(found.split) == N_LAYERS + 1


def test_two_cards_hold_what_one_does_not() -> None:
    half = WHOLE // 2 + LAYER
    assert not plan(model(), card(half)).is_whole
    found = plan(model(), card(half, "A"), card(half, "B"))
    assert found.is_whole
    assert all(n_bytes <= half for n_bytes in found.device_bytes)


def test_card_without_room_is_left_out() -> None:
    found = plan(model(), card(0, "A"), card(WHOLE, "B"))
    assert found.devices == ("B",)
    assert found.is_whole


@pytest.mark.parametrize("free", [0, LAYER // 2, EXPERTS])
def test_nothing_is_on_a_card_that_is_too_small(free: int) -> None:
    found = plan(model(), card(free))
    assert found.n_layers == 0
    assert found.devices == ()
    assert found.moved_bytes == 0


def test_memory_of_an_integrated_card_is_that_of_the_machine() -> None:
    found = plan(model(), replace(card(WHOLE), kind="igpu"))
    assert found.is_whole
    assert found.moved_bytes == 0


def test_settings_are_obeyed_even_if_they_do_not_fit() -> None:
    assert plan(model(), card(WHOLE), settings=LoadSettings(n_gpu_layers=3)).n_layers == 3
    assert plan(model(), card(LAYER), settings=LoadSettings(n_gpu_layers=99)).is_whole
    assert plan(model(), card(WHOLE), settings=LoadSettings(n_gpu_layers=0)).devices == ()
    chosen = plan(model(has_experts=True), card(WHOLE), settings=LoadSettings(n_cpu_experts=4))
    assert chosen.n_cpu_experts == 4
    shares = LoadSettings(tensor_split=(1.0, 3.0))
    assert plan(model(), card(WHOLE, "A"), card(WHOLE, "B"), settings=shares).split == (3, 8)


@pytest.mark.parametrize("share", [0.75, 0.5, 0.25])
def test_plan_after_a_failure_needs_less(share: float) -> None:
    cards = [card(3 * WHOLE)]
    first = plan(model(), *cards)
    smaller = with_less_memory(cards, first, share)
    assert free_for_model(smaller[0]) == pytest.approx(share * WHOLE, abs=1)
    second = plan(model(), *smaller)
    assert 0 < second.n_layers < first.n_layers
    assert second.device_bytes[0] <= share * first.device_bytes[0]
    assert with_less_memory(cards, first, 0.0) == []

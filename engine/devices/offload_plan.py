"""Decides, before a model is loaded, which of its layers graphics cards compute, from the sizes of its tensors and the
free memory of the cards.

llama.cpp computes the last layers on the cards and the first ones on the processor. Each layer's keys and values lie
where the layer is computed. The token embedding always stays in the machine's memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from engine.backend import LoadSettings
from engine.devices.device import Device
from engine.devices.offload import Offload
from engine.library.gguf_header import GgufHeader
from engine.library.kv_size import layer_cell_bytes, layer_state_bytes
from engine.library.tensor_reads import layer_of

SCREEN_BYTES, SCREEN_SHARE = 256 << 20, 0.04
"""Memory of a card that is left free for the screen and for what the estimate misses, and the share of the card's
memory that is left free in addition."""

EXPERTS = re.compile(r"^blk\.(\d+)\.ffn_(up|down|gate|gate_up)_(ch|)exps\.")
"""The tensors of a mixture of experts, of which each token uses only a few: the processor computes them best when not
all fit. llama.cpp uses the same names."""

_INPUTS = ("token_embd.", "per_layer_token_embd.", "position_embd.", "token_types.")


@dataclass(frozen=True, slots=True)
class _Sizes:
    """Sizes of a model's parts in bytes. `layers` and `experts` have one entry per layer; the output layer is the last
    of `layers`. `experts` is contained in `layers`."""

    layers: Sequence[int] = ()
    experts: Sequence[int] = ()
    largest_tensor: int = 0

    def totals(self, choices: Iterable[tuple[int, int]]) -> list[int]:
        """Bytes on the cards for each choice of `_choices`."""
        last = [0, *accumulate(reversed(self.layers))]
        experts = [0, *accumulate(self.experts)]
        n_all = len(self.layers)
        return [last[n] - experts[stays] + experts[min(n_all - n, stays)] for n, stays in choices]

    def on_cards(self, n_layers: int, n_experts: int) -> list[int]:
        """Bytes of each layer on the cards, in order."""
        first = len(self.layers) - n_layers
        stays = [*self.experts[:n_experts], *[0] * (len(self.layers) - n_experts)]
        return [size - stay for size, stay in zip(self.layers[first:], stays[first:], strict=True)]


class OffloadPlanner:
    """Plans the layers of one model, for several context lengths faster than with `plan_offload`."""

    def __init__(self, header: GgufHeader, settings: LoadSettings, devices: Sequence[Device]) -> None:
        """See `plan_offload`."""
        self._settings = settings
        self._devices = devices if settings.n_gpu_layers != 0 else ()
        self._n_all = header.number("block_count") + 1
        self._weights = _weights(header) if self._devices else _Sizes()
        self._cells = layer_cell_bytes(header, settings.kv_type_k, settings.kv_type_v) if self._devices else ()
        self._states = layer_state_bytes(header) if self._devices else ()

    def plan(self, n_cells: int, n_slots: int, compute: int) -> Offload:
        """See `plan_offload`."""
        if not self._devices:
            return Offload(n_all=self._n_all)
        settings, sizes = self._settings, self._sizes(n_cells, n_slots)
        # While layers stay with the processor, cards also compute their long prompts, with a copy of one tensor.
        budgets = [max(0, free_for_model(device) - compute) for device in self._devices]
        partial_budgets = [max(0, each - sizes.largest_tensor) for each in budgets]
        is_forced = settings.n_gpu_layers is not None and (settings.n_cpu_experts is not None or not any(sizes.experts))
        shares = settings.tensor_split[: len(self._devices)]
        choices = _choices(sizes, settings)
        for (n_layers, n_experts), total in zip(choices, sizes.totals(choices), strict=True):
            is_partial = n_layers < self._n_all or n_experts > 0
            room = partial_budgets if is_partial else budgets
            if total > sum(room) and not is_forced and not any(shares):
                continue
            if any(shares):
                split: list[int] | None = _in_proportion(n_layers, shares)
            else:
                split = _balanced(sizes.on_cards(n_layers, n_experts), room)
            if split is None and is_forced:
                split = _in_proportion(n_layers, budgets if any(budgets) else [1] * len(self._devices))
            if split is not None:
                extra = compute + sizes.largest_tensor * is_partial
                return _plan(sizes, self._devices, split, n_layers, n_experts, extra)
        return Offload(n_all=self._n_all)

    def _sizes(self, n_cells: int, n_slots: int) -> _Sizes:
        *blocks, output = self._weights.layers
        layers = [
            weights + n_cells * cell + n_slots * state
            for weights, cell, state in zip(blocks, self._cells, self._states, strict=True)
        ]
        return replace(self._weights, layers=[*layers, output])


def plan_offload(
    header: GgufHeader, settings: LoadSettings, devices: Sequence[Device], n_cells: int, n_slots: int, compute: int
) -> Offload:
    """Plans a model's layers for the given cards, of which all or none are used.

    `n_cells` is the context length, `n_slots` the number of sequences, `compute` the size of the buffers for a decode.
    `settings.n_gpu_layers` and `settings.n_cpu_experts` are obeyed, if they are set, even if they do not fit. Without a
    card, or if nothing fits, no layer is on a card."""
    return OffloadPlanner(header, settings, devices).plan(n_cells, n_slots, compute)


def usable_devices(devices: Sequence[Device], settings: LoadSettings) -> list[Device]:
    """The cards that a model is loaded on. Cards that use the machine's memory are left out if there are others, unless
    the settings name them."""
    if settings.devices is not None:
        by_id = {each.id: each for each in devices}
        return [by_id[each] for each in settings.devices if each in by_id]
    return [each for each in devices if each.kind == "gpu"] or list(devices)


def free_for_model(device: Device) -> int:
    """Memory of a card that a model may use."""
    return max(0, device.memory_free - _reserved(device))


def _reserved(device: Device) -> int:
    return SCREEN_BYTES + round(SCREEN_SHARE * device.memory_total)


def with_less_memory(devices: Sequence[Device], offload: Offload, share: float) -> list[Device]:
    """The cards of a plan that failed, with only as much free memory that a new plan uses at most `share` of what the
    old one did. None with a share of 0."""
    foreseen = dict(zip(offload.devices, offload.device_bytes, strict=True))
    if not share:
        return []
    return [
        replace(each, memory_free=_reserved(each) + round(share * foreseen[each.id]))
        for each in devices
        if each.id in foreseen
    ]


def _choices(sizes: _Sizes, settings: LoadSettings) -> list[tuple[int, int]]:
    """Numbers of layers on the cards, and of layers whose experts stay with the processor; the fastest choice first."""
    n_all, n_blocks = len(sizes.layers), len(sizes.experts)
    has_experts = any(sizes.experts)
    most = n_all if settings.n_gpu_layers is None else min(settings.n_gpu_layers, n_all)
    layers = range(most, 0, -1) if settings.n_gpu_layers is None else (most,)
    if settings.n_cpu_experts is not None:
        return [(n, min(settings.n_cpu_experts, n_blocks)) for n in layers]
    if not has_experts:
        return [(n, 0) for n in layers]
    # Attention and KV memory of all layers first: each token needs them whole, but only a few experts.
    first = [(layers[0], n_experts) for n_experts in range(n_blocks + 1)]
    return first + [(n, n_blocks) for n in layers[1:]]


def _balanced(layers: Sequence[int], budgets: Sequence[int]) -> list[int] | None:
    """Returns how many layers each card gets, so that the fullest card is as empty as possible. None if they do not
    fit."""
    total = sum(budgets)
    if sum(layers) > total:
        return None
    for percent in range(2, 101, 2):
        if sum(layers) <= total * percent // 100:
            split = _filled(layers, [budget * percent // 100 for budget in budgets])
            if split is not None:
                return split
    return None


def _filled(layers: Sequence[int], budgets: Sequence[int]) -> list[int] | None:
    """Gives each card layers until its budget is reached. Returns None if layers are left."""
    split, i = [], 0
    for budget in budgets:
        n, used = 0, 0
        while i < len(layers) and used + layers[i] <= budget:
            used += layers[i]
            n, i = n + 1, i + 1
        split.append(n)
    return split if i == len(layers) else None


def _in_proportion(n_layers: int, shares: Sequence[float]) -> list[int]:
    """Divides layers in proportion to shares, of which at least one is above 0."""
    total, split, done = sum(shares), [], 0.0
    for share in shares:
        start, done = round(n_layers * done / total), done + share
        split.append(round(n_layers * done / total) - start)
    return split


def _plan(
    sizes: _Sizes, devices: Sequence[Device], split: Sequence[int], n_layers: int, n_experts: int, extra: int
) -> Offload:
    on_cards, used, start = sizes.on_cards(n_layers, n_experts), [], 0
    for n in split:
        used.append(sum(on_cards[start : start + n]))
        start += n
    kept = [i for i, n in enumerate(split) if n]
    return Offload(
        devices=tuple(devices[i].id for i in kept),
        n_layers=n_layers,
        n_all=len(sizes.layers),
        n_cpu_experts=n_experts,
        split=tuple(split[i] for i in kept),
        device_bytes=tuple(used[i] + extra for i in kept),
        moved_bytes=sum(used[i] for i in kept if devices[i].kind == "gpu"),
    )


def _weights(header: GgufHeader) -> _Sizes:
    """The sizes of a model's parts without keys, values and states."""
    n_blocks = header.number("block_count")
    layers, experts = [0] * (n_blocks + 1), [0] * n_blocks
    largest = 0
    for name, n_bytes in header.tensor_bytes.items():
        i = layer_of(name)
        if 0 <= i < n_blocks:
            layers[i] += n_bytes
            if EXPERTS.match(name):
                experts[i] += n_bytes
            largest = max(largest, n_bytes)
        elif not name.startswith(_INPUTS):
            layers[n_blocks] += n_bytes
    if "output.weight" not in header.tensor_bytes:
        # The output layer uses the token embedding. On a card it needs a copy of it.
        layers[n_blocks] += header.tensor_bytes.get("token_embd.weight", 0)
    return _Sizes(layers, experts, largest)

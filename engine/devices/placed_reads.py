"""Calculates what each graphics card and the processor read to generate one token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.backend import LoadSettings
from engine.devices.card import Card
from engine.devices.offload import Offload
from engine.devices.offload_plan import EXPERTS
from engine.library.gguf_header import GgufHeader
from engine.library.kv_size import layer_cell_bytes
from engine.library.tensor_reads import layer_of, tensor_reads


@dataclass(frozen=True, slots=True)
class PlacedReads:
    """Bytes of weights, keys and values that are read for each token."""

    on_processor: float
    on_cards: tuple[float, ...]
    """In the order of `Offload.devices`."""

    @property
    def total(self) -> float:
        return self.on_processor + sum(self.on_cards)


def placed_reads(header: GgufHeader, settings: LoadSettings, offload: Offload, n_tokens: int) -> PlacedReads:
    """What is read for one token, with `n_tokens` tokens in the context."""
    n_blocks = header.number("block_count")
    cards = [0.0] * len(offload.devices)
    places = _places(offload, n_blocks)
    processor = 0.0
    for name, n_bytes in tensor_reads(header).items():
        i = layer_of(name)
        stays = i < offload.n_cpu_experts and EXPERTS.match(name) is not None
        place = None if stays else places[i if 0 <= i < n_blocks else n_blocks]
        if place is None:
            processor += n_bytes
        else:
            cards[place] += n_bytes
    for i, cell in enumerate(layer_cell_bytes(header, settings.kv_type_k, settings.kv_type_v)):
        place = places[i]
        if place is None:
            processor += n_tokens * cell
        else:
            cards[place] += n_tokens * cell
    return PlacedReads(processor, tuple(cards))


def tokens_per_s(reads: PlacedReads, offload: Offload, cards: Sequence[Card], processor_bytes_per_s: float) -> float:
    """The speed of an answer; 0 if the speed of a card or of the processor that takes part is not known."""
    known = {card.device.id: card.bytes_per_s for card in cards}
    parts = [(reads.on_processor, processor_bytes_per_s)]
    parts += [(n, known.get(each, 0.0)) for n, each in zip(reads.on_cards, offload.devices, strict=True)]
    if any(n and not speed for n, speed in parts):
        return 0.0
    seconds = sum(n / speed for n, speed in parts if n)
    return 1 / seconds if seconds else 0.0


def _places(offload: Offload, n_blocks: int) -> list[int | None]:
    """Where each layer is computed: the position in `Offload.devices`, or None for the processor. The output layer is
    the last."""
    on_cards: list[int | None] = []
    for place, n_layers in enumerate(offload.split):
        on_cards += [place] * round(n_layers)
    on_cards = on_cards[: n_blocks + 1]
    return [None] * (n_blocks + 1 - len(on_cards)) + on_cards

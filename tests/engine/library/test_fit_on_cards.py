"""Tests of the memory and speed estimate with graphics cards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.backend import LoadSettings
from engine.devices.card import Card
from engine.devices.device import Device
from engine.devices.offload import NO_OFFLOAD, Offload
from engine.devices.placed_reads import placed_reads, tokens_per_s
from engine.library.assumed_header import assumed_header
from engine.library.catalogue import CatalogueEntry
from engine.library.gguf_header import GgufHeader
from engine.library.memory_fit import MemoryFit, estimate_fit, estimate_fit_from_size
from engine.library.model_metadata import ModelMetadata, metadata_from_header
from engine.library.model_scan import read_model_file
from engine.library.model_scan_cache import FileStamp, ModelScanCache
from engine.library.recommendation import best_for_machine
from engine.library.throughput_estimate import CARD_SHARE, ThroughputEstimate
from tests.model_files.tiny_models import TINY_MODELS

GIB = 1 << 30
CARD = Device("Vulkan0", "Test card", "Vulkan", "gpu", 8 * GIB, 8 * GIB, driver="radv 25.1")


def card(free_gib: float = 8, bytes_per_s: float = 200e9, number: int = 0) -> Card:
    return Card(replace(CARD, id=f"Vulkan{number}", memory_free=round(free_gib * GIB)), bytes_per_s)


def model(n_layers: int = 32, layer_bytes: int = 128 << 20, expert_bytes: int = 0) -> ModelMetadata:
    """A model of 4 GiB, or of more with experts, of which each token uses an eighth."""
    tensors = {"token_embd.weight": 100 << 20, "output.weight": 100 << 20}
    for i in range(n_layers):
        tensors[f"blk.{i}.attn_q.weight"] = layer_bytes
        if expert_bytes:
            tensors[f"blk.{i}.ffn_up_exps.weight"] = expert_bytes
    values: dict[str, int | str] = {
        "general.architecture": "llama",
        "llama.block_count": n_layers,
        "llama.context_length": 8192,
    }
    values |= {"llama.embedding_length": 1024, "llama.attention.head_count": 8, "llama.expert_count": 8}
    values |= {"llama.expert_used_count": 1}
    return metadata_from_header(Path("/m/a.gguf"), GgufHeader({**values}, tensors))


def fit(
    metadata: ModelMetadata, *cards: Card, settings: LoadSettings = LoadSettings(), speed: float = 10e9
) -> MemoryFit:
    return estimate_fit(metadata, settings, 30 * GIB, 32 * GIB, speed, cards)


def test_model_that_fits_on_the_card_needs_its_memory_there_and_has_its_speed() -> None:
    on_processor, on_card = fit(model()), fit(model(), card())
    assert on_card.offload.is_whole
    assert on_card.offload.device_bytes[0] > 4 * GIB
    assert on_card.needed < 1 * GIB < on_processor.needed
    assert on_processor.tokens_per_s == pytest.approx(2.2, abs=0.2)
    assert on_card.tokens_per_s == pytest.approx(20 * on_processor.tokens_per_s)


def test_draft_model_and_adapters_are_part_of_the_needed_memory() -> None:
    alone, draft = fit(model()), model(4)

    def with_both(settings: LoadSettings) -> MemoryFit:
        return estimate_fit(model(), settings, 30 * GIB, 32 * GIB, 10e9, draft=draft, adapter_bytes=300 << 20)

    both = with_both(LoadSettings())
    assert both.estimate.draft_bytes > draft.weights_bytes
    assert both.needed - alone.needed == both.estimate.draft_bytes + (300 << 20)
    assert with_both(LoadSettings(n_ctx=4096)).estimate.draft_bytes < both.estimate.draft_bytes, "it has a context too"
    assert with_both(LoadSettings(drafts=False)).estimate.draft_bytes == 0
    assert both.tokens_per_s < alone.tokens_per_s, "adapters are read for each token"


def test_time_for_a_token_of_a_divided_model_is_the_sum_of_both_parts() -> None:
    divided = fit(model(), card(3))
    assert 0 < divided.offload.n_layers < 33
    reads = placed_reads(model().header, LoadSettings(), divided.offload, 1024)
    assert reads.total == pytest.approx(placed_reads(model().header, LoadSettings(), NO_OFFLOAD, 1024).total)
    assert 1 / divided.tokens_per_s == pytest.approx(reads.on_processor / 10e9 + reads.on_cards[0] / 200e9)


def test_experts_left_to_the_processor_are_read_by_it() -> None:
    metadata = model(layer_bytes=32 << 20, expert_bytes=256 << 20)
    divided = fit(metadata, card(3)).offload
    assert divided.n_layers == 33
    assert divided.n_cpu_experts > 0
    reads = placed_reads(metadata.header, LoadSettings(), divided, 0)
    assert reads.on_processor == divided.n_cpu_experts * (32 << 20)


def test_speed_is_unknown_without_the_bandwidth_of_a_card_that_takes_part() -> None:
    assert fit(model(), card(bytes_per_s=0)).tokens_per_s == 0
    assert fit(model(), card(bytes_per_s=0), settings=LoadSettings(devices=())).tokens_per_s > 0
    offload = Offload(("Vulkan0", "Vulkan1"), 33, 33, split=(17, 16), device_bytes=(1, 1))
    reads = placed_reads(model().header, LoadSettings(), offload, 0)
    assert tokens_per_s(reads, offload, [card(), card(number=1)], 0) > 0
    assert tokens_per_s(reads, offload, [card(), card(number=1, bytes_per_s=0)], 10e9) == 0


def test_verdict_is_slow_below_3_tokens_per_second_and_fits_with_a_card() -> None:
    alone = fit(model())
    assert (alone.verdict, alone.reason) == ("slow", "slow")
    assert fit(model(), speed=0).verdict == "fits", "the speed is not known yet"
    with_card = fit(model(), card())
    assert (with_card.verdict, with_card.reason) == ("fits", "")
    assert fit(model(), card(bytes_per_s=8e9)).verdict == "slow", "a slow card"


def test_model_is_slow_if_the_processor_alone_takes_too_long_beside_a_card_of_unknown_speed() -> None:
    half = LoadSettings(n_gpu_layers=5)
    divided = fit(model(), card(bytes_per_s=0), settings=half)
    assert (divided.tokens_per_s, divided.verdict) == (0, "slow")
    mostly_there = fit(model(), card(bytes_per_s=0), settings=LoadSettings(n_gpu_layers=30))
    assert (mostly_there.tokens_per_s, mostly_there.verdict) == (0, "fits"), "the speed is not known"


def test_settings_decide_what_runs_where() -> None:
    cards = card(), card(number=1)
    assert fit(model(), *cards, settings=LoadSettings(devices=("Vulkan1",))).offload.devices == ("Vulkan1",)
    assert fit(model(), *cards, settings=LoadSettings(n_gpu_layers=5)).offload.n_layers == 5
    assert fit(model(), *cards, settings=LoadSettings(tensor_split=(2, 1))).offload.split == (22, 11)


def test_model_of_the_hub_counts_the_memory_and_speed_of_the_card() -> None:
    size, n_params = 4_680_000_000, 7_620_000_000
    alone = estimate_fit_from_size(size, n_params, 32_768, 3 * GIB, 4 * GIB, 13e9)
    with_card = estimate_fit_from_size(size, n_params, 32_768, 3 * GIB, 4 * GIB, 13e9, cards=[card()])
    assert alone.verdict == "too_big"
    assert with_card.verdict == "fits"
    assert with_card.tokens_per_s > 30
    experts = estimate_fit_from_size(12 * GIB, 20 * 10**9, 0, 20 * GIB, 24 * GIB, 13e9, 4 * 10**9, [card()])
    assert experts.offload.n_cpu_experts > 0


def entry(n: int) -> CatalogueEntry:
    """A model of n GB."""
    n_params = n * 1_600_000_000
    return CatalogueEntry(
        f"m{n}", f"a/m{n}", "m.gguf", "Q4_K_M", n * 10**9, n_params, 8192, "mit", "llama", "everyday", rank=n
    )


def test_recommended_model_is_larger_with_a_card() -> None:
    entries = [entry(1), entry(4)]

    def best(cards: tuple[Card, ...]) -> CatalogueEntry | None:
        def estimate(entry: CatalogueEntry) -> MemoryFit:
            return estimate_fit_from_size(entry.size_bytes, entry.n_params, 8192, 6 * GIB, 8 * GIB, 10e9, 0, cards)

        return best_for_machine(entries, estimate, 8 * GIB)

    assert best(()) is entries[0]
    assert best((card(),)) is entries[1]
    assert best((card(bytes_per_s=0),)) is entries[0], "as fast as the processor, as far as is known"
    assert fit(model(), card(bytes_per_s=0)).least_tokens_per_s == pytest.approx(2.2, abs=0.2)


def test_assumed_header_has_the_size_and_the_reads_of_the_model() -> None:
    dense, experts = assumed_header(4 * GIB, 100_000, 1.0), assumed_header(4 * GIB, 100_000, 0.25)
    for header, share in ((dense, 1.0), (experts, 0.25)):
        assert sum(header.tensor_bytes.values()) == pytest.approx(4 * GIB, rel=0.001)
        reads = placed_reads(header, LoadSettings(), NO_OFFLOAD, 0)
        assert reads.total == pytest.approx(share * 4 * GIB, rel=0.001)
        cells = placed_reads(header, LoadSettings(), NO_OFFLOAD, 1).total - reads.total
        assert cells == pytest.approx(100_000, rel=0.01)


def test_tensor_sizes_survive_the_scan_cache(tmp_path: Path) -> None:
    path = TINY_MODELS["plain"].write(tmp_path / "plain.gguf")
    known = read_model_file(path, ModelScanCache(None)).metadata
    assert known is not None
    cache = ModelScanCache(tmp_path / "cache.json")
    cache.put(path, FileStamp(1, 2), known)
    cache.save()
    again = ModelScanCache(tmp_path / "cache.json")
    again.load()
    assert again.get(path, FileStamp(1, 2)) == known
    assert fit(known, card()).offload.is_whole


def test_observed_speed_of_a_card_is_kept_apart_from_that_of_the_processor(tmp_path: Path) -> None:
    file = tmp_path / "machine.json"
    throughput = ThroughputEstimate(file)
    throughput.measure()
    before = throughput.bytes_per_s
    assert throughput.card_bytes_per_s(card().device) == 0
    assert throughput.observe_card(card().key, 300e9)
    assert not throughput.observe_card(card().key, 301e9)
    again = ThroughputEstimate(file)
    again.measure()
    assert again.card_bytes_per_s(card().device) == 300e9
    newer = replace(card().device, driver="radv 26.0")
    assert again.card_bytes_per_s(newer) == 0, "another driver may have another speed"
    assert again.bytes_per_s == before


def test_measured_speed_of_a_card_is_used_until_its_answers_show_it() -> None:
    throughput = ThroughputEstimate(None)
    device = replace(card().device, bytes_per_s=400e9)
    assert throughput.card_bytes_per_s(device) == CARD_SHARE * 400e9
    throughput.observe_card(device.key, 200e9)
    assert throughput.card_bytes_per_s(device) == 200e9

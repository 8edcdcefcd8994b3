"""MTP layers in a file's header: when they are used, and what they count for."""

from __future__ import annotations

import ctypes
import re
from dataclasses import replace
from pathlib import Path

import llama_cpp.llama_cpp as llama
import psutil
import pytest

from engine.backend import LoadSettings
from engine.library.gguf_header import GgufHeader, read_header
from engine.library.kv_size import layer_cell_bytes, layer_state_bytes
from engine.library.memory_estimate import MARGIN_BYTES, context_shape, estimate_memory
from engine.library.memory_fit import estimate_fit
from engine.library.model_metadata import metadata_from_header
from engine.library.mtp_layers import loaded_part, mtp_cost, mtp_refusal, uses_mtp, without_mtp
from engine.library.tensor_reads import tensor_reads
from engine.native import llama as native_llama
from engine.native.backend import open_native
from tests.model_files.tiny_mtp import N_MAIN, write_mtp_model

ON = LoadSettings(n_ctx=512, n_threads=1)
OFF = replace(ON, drafts=False)
KV_BUFFER = re.compile(r"KV buffer size = +([\d.]+) MiB")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_mtp_model(tmp_path / "mtp.gguf")


@pytest.fixture
def header(path: Path) -> GgufHeader:
    return read_header(path)


def test_mtp_layers_are_the_last_layers_of_the_file(header: GgufHeader) -> None:
    assert (header.n_mtp_layers, header.n_main_layers) == (1, N_MAIN)
    plain = GgufHeader({"general.architecture": "llama", "llama.block_count": 4}, {})
    assert (plain.n_mtp_layers, plain.n_main_layers) == (0, 4)
    assert not uses_mtp(plain, ON)
    assert mtp_refusal(plain, ON) == ""
    all_mtp = GgufHeader({"general.architecture": "a", "a.block_count": 4, "a.nextn_predict_layers": 4}, {})
    assert all_mtp.n_mtp_layers == 0


def test_reason_why_mtp_layers_are_not_used(header: GgufHeader) -> None:
    assert uses_mtp(header, ON)
    assert mtp_refusal(header, ON) == ""
    windowed = replace(header, values={**header.values, "hy_v3.attention.sliding_window": 64})
    other = replace(header, values={key.replace("hy_v3", "x"): value for key, value in header.values.items()})
    other = replace(other, values={**other.values, "general.architecture": "x"})
    weightless = replace(header, tensor_bytes={k: v for k, v in header.tensor_bytes.items() if "nextn" not in k})
    for refused, settings, reason in (
        (header, OFF, "turned off"),
        (header, replace(ON, draft_model=Path("small.gguf")), "draft model"),
        (windowed, ON, "cannot be removed"),
        (other, ON, "not supported for x models"),
        (weightless, ON, "does not contain"),
        (replace(header, values={**header.values, "hy_v3.nextn_predict_layers": 2}), ON, "single MTP layer"),
    ):
        assert reason in mtp_refusal(refused, settings)
        assert not uses_mtp(refused, settings)


def test_unused_mtp_layers_take_no_memory_and_no_time(header: GgufHeader) -> None:
    assert loaded_part(header, ON) is header
    rest = loaded_part(header, OFF)
    assert rest == without_mtp(header)
    assert {name for name in header.tensor_bytes if name not in rest.tensor_bytes} == {
        name for name in header.tensor_bytes if name.startswith(f"blk.{N_MAIN}.")
    }
    assert [bool(n) for n in layer_cell_bytes(rest, "f16", "f16")] == [True] * N_MAIN + [False]
    assert all(layer_cell_bytes(header, "f16", "f16"))
    assert sum(tensor_reads(header).values()) == sum(tensor_reads(rest).values())


def test_mtp_layer_of_a_hybrid_model_has_keys_and_values_but_no_recurrent_state() -> None:
    sizes = {"block_count": 9, "nextn_predict_layers": 1, "embedding_length": 64, "attention.head_count": 2}
    states = {"ssm.inner_size": 128, "ssm.state_size": 16, "ssm.conv_kernel": 4, "attention.head_count_kv": 2}
    values = {f"qwen35.{key}": value for key, value in {**sizes, **states}.items()}
    header = GgufHeader({"general.architecture": "qwen35", **values}, {})
    assert [bool(n) for n in layer_cell_bytes(header, "f16", "f16")] == [i in (3, 7, 8) for i in range(9)]
    assert [bool(n) for n in layer_state_bytes(header)] == [i not in (3, 7, 8) for i in range(9)]


def test_cost_of_a_draft_token_is_the_share_of_the_weights_that_it_reads(header: GgufHeader) -> None:
    layer = sum(size for name, size in header.tensor_bytes.items() if name.startswith(f"blk.{N_MAIN}."))
    reads = sum(tensor_reads(header).values())
    assert mtp_cost(header) == pytest.approx((layer + header.tensor_bytes["output.weight"]) / reads)


def test_model_is_loaded_without_mtp_layers_if_memory_is_short(
    path: Path, header: GgufHeader, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = context_shape(header)
    with_mtp, without = (estimate_memory(header, each, ON.n_ctx, **shape).needed for each in (ON, OFF))
    free = (with_mtp + without) // 2 + MARGIN_BYTES
    machine = psutil.virtual_memory()
    monkeypatch.setattr(psutil, "virtual_memory", lambda: machine._replace(available=free))
    backend = open_native(path, ON, lambda progress: True)
    backend.close()
    assert backend.draft_model is None
    assert "not enough memory" in backend.info.mtp_refusal
    assert (backend.info.n_ctx, backend.info.n_ctx_wanted) == (ON.n_ctx, 0)
    fit = estimate_fit(metadata_from_header(path, header), ON, free, machine.total, 0.0)
    assert (fit.verdict, fit.estimate.needed) == ("tight", without)


@pytest.mark.parametrize("settings", [ON, OFF], ids=["used", "unused"])
def test_estimated_kv_memory_equals_allocations_in_llama_cpp_log(path: Path, settings: LoadSettings) -> None:
    lines: list[str] = []
    listener = llama.llama_log_callback(lambda level, text, data: lines.append(text.decode(errors="replace")))
    native_llama.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native_llama, "_keep_callback", listener)
        backend = open_native(path, settings, lambda progress: True)
    llama.llama_log_set(native_llama._keep_callback, ctypes.c_void_p(0))
    backend.close()
    assert backend.info.memory is not None
    allocated = sum(map(float, KV_BUFFER.findall("".join(lines))))
    assert backend.info.memory.kv_bytes / 2**20 == pytest.approx(allocated, abs=0.02)
    assert (backend.draft_model is not None) == settings.drafts

"""The check of load settings, and the memory estimate compared with llama.cpp's own log."""

from __future__ import annotations

import asyncio
import ctypes
import re
import sys
from dataclasses import replace
from pathlib import Path

import llama_cpp.llama_cpp as llama
import psutil
import pytest

from engine.backend import Chunk, LoadSettings
from engine.engine import Engine
from engine.errors import InvalidSettings, NotEnoughMemory
from engine.library.gguf_header import GgufHeader, read_header
from engine.library.kv_size import cell_bytes, state_bytes
from engine.library.load_settings_check import check_settings
from engine.native import llama as native_llama
from engine.native.backend import open_native
from tests.conftest import chat
from tests.model_files.tiny_llama import write_llama

BUFFER = re.compile(r"(\S+)(?: model)? buffer size = +([\d.]+) MiB")
REPACKED_BUFFERS = ("AMX", "CPU_REPACK")
"""Buffers for weights that llama.cpp rearranges for the processor."""


@pytest.mark.parametrize(
    "settings",
    [
        LoadSettings(),
        LoadSettings(n_ctx=1024),
        LoadSettings(flash_attention="off"),
        LoadSettings(kv_type_k="q8_0", kv_type_v="q4_0", flash_attention="on"),
        LoadSettings(n_ctx=2048, mmap=False),
    ],
)
def test_memory_estimate_equals_allocations_in_llama_cpp_log(model_path: Path, settings: LoadSettings) -> None:
    log_lines: list[str] = []
    listener = llama.llama_log_callback(lambda level, text, data: log_lines.append(text.decode(errors="replace")))
    native_llama.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native_llama, "_keep_callback", listener)
        backend = open_native(model_path, settings, lambda progress: True)
    llama.llama_log_set(native_llama._keep_callback, ctypes.c_void_p(0))
    backend.close()
    sizes = [(kind, float(size)) for kind, size in BUFFER.findall("".join(log_lines))]
    # If weights are repacked, the log lists them twice. The mapped weights that are not repacked are so small that the
    # test's tolerance covers them.
    if any(kind in REPACKED_BUFFERS for kind, _ in sizes):
        sizes = [(kind, size) for kind, size in sizes if kind not in ("CPU_Mapped", "CPU")]
    account = backend.info.memory
    assert account is not None
    assert len(sizes) >= 4
    kv = sum(size for kind, size in sizes if kind == "KV")
    assert account.kv_bytes / 2**20 == pytest.approx(kv, rel=0.02)
    assert (account.needed - account.other_bytes) / 2**20 == pytest.approx(sum(size for _, size in sizes), rel=0.1)


@pytest.mark.skipif(sys.platform != "linux", reason="pages are let go on Linux alone")
def test_copied_pages_of_mapped_file_are_released(model_path: Path) -> None:
    """Loading copies most weights out of the mapped model file, and releases the pages of the file. A decode then reads
    the remaining weights from the file again."""
    backend = open_native(model_path, LoadSettings(n_ctx=512), lambda progress: True)
    assert _resident(model_path) < model_path.stat().st_size / 10
    tokens = backend.tokenize("One, two, three, four, five,", add_special=True)
    backend.decode([Chunk(0, 0, tokens, sample_last=True)], 1)
    assert backend.piece(int(backend.logits(len(tokens) - 1).argmax())) == b" six"
    backend.close()


def _resident(path: Path) -> int:
    """The number of bytes of a mapped file that are resident in this process."""
    regions = re.split(r"(?m)^(?=[0-9a-f]+-[0-9a-f]+ )", Path("/proc/self/smaps").read_text())
    ours = [region for region in regions if region.partition("\n")[0].endswith(f" {path.resolve()}")]
    assert ours, "it is not mapped"
    return sum(1024 * int(size) for region in ours for size in re.findall(r"(?m)^Rss: +(\d+) kB", region))


def test_memory_use_of_loaded_model_is_reported(model_path: Path, tmp_path: Path) -> None:
    async def run() -> None:
        engine = Engine(snapshots=tmp_path / "snapshots")
        assert engine.memory.estimate is None
        before = engine.memory.resident
        info = await engine.load(model_path, LoadSettings(n_ctx=2048))
        await engine.submit(chat("word " * 300, max_tokens=2)).collect()
        use = engine.memory
        assert use.estimate == info.memory
        assert use.resident - before > 60 << 20
        await engine.unload()
        assert engine.memory.estimate is None
        assert engine.memory.snapshots > 1 << 20
        await engine.aclose()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        (LoadSettings(kv_type_v="q8_0", flash_attention="off"), "kv_type_v"),
        (LoadSettings(n_ctx=-1), "n_ctx"),
        (LoadSettings(n_threads=-2), "n_threads"),
        (LoadSettings(n_gpu_layers=-2), "n_gpu_layers"),
    ],
)
def test_invalid_load_settings_raise_invalid_settings(model_path: Path, settings: LoadSettings, field: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        open_native(model_path, settings, lambda progress: True)
    assert refused.value.field == field


def test_quantised_kv_type_is_rejected_if_attention_head_is_smaller_than_a_block(tmp_path: Path) -> None:
    header = read_header(write_llama(tmp_path / "tiny.gguf"))  # its attention heads have 8 elements
    check_settings(LoadSettings(), header)
    with pytest.raises(InvalidSettings, match=r"kv_type_k: .* 8 "):
        check_settings(LoadSettings(kv_type_k="q4_0"), header)


def test_model_that_does_not_fit_into_memory_is_rejected_before_loading(
    model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = psutil.virtual_memory()

    def free(n_bytes: int) -> None:
        monkeypatch.setattr(psutil, "virtual_memory", lambda: machine._replace(available=n_bytes))

    free(100 << 20)
    with pytest.raises(NotEnoughMemory) as refused:
        open_native(model_path, LoadSettings(), lambda progress: pytest.fail("it was loaded"))
    assert refused.value.needed > refused.value.available == 100 << 20
    free(350 << 20)  # too little memory for a context of 8,192 tokens and the margin
    with pytest.raises(NotEnoughMemory):
        open_native(model_path, LoadSettings(n_ctx=8192), lambda progress: pytest.fail("it was loaded"))
    backend = open_native(model_path, LoadSettings(), lambda progress: True)
    backend.close()
    assert 512 <= backend.info.n_ctx < backend.info.n_ctx_wanted == 8192
    assert backend.info.memory is not None
    assert backend.info.memory.headroom > 0


def test_quantised_kv_cache_changes_the_fingerprint_but_not_the_next_token(model_path: Path) -> None:
    prints = set()
    for settings in (
        LoadSettings(n_ctx=512),
        LoadSettings(n_ctx=512, kv_type_k="q8_0", kv_type_v="q8_0"),
        LoadSettings(n_ctx=512, kv_type_k="q8_0"),
    ):
        backend = open_native(model_path, settings, lambda progress: True)
        tokens = backend.tokenize("One, two, three, four, five,", add_special=True)
        backend.decode([Chunk(0, 0, tokens, sample_last=True)], 1)
        assert backend.piece(int(backend.logits(len(tokens) - 1).argmax())) == b" six"
        prints.add(backend.fingerprint)
        backend.close()
    assert len(prints) == 3


LLAMA = GgufHeader(
    {
        "general.architecture": "llama",
        "llama.block_count": 4,
        "llama.embedding_length": 512,
        "llama.attention.head_count": 8,
        "llama.attention.head_count_kv": 2,
    },
    {},
)


def test_kv_and_state_sizes_of_each_architecture_equal_expected_sizes() -> None:
    """The expected sizes were computed by hand: `cell_bytes` per token, `state_bytes` per sequence."""

    def of(name: str, **values: int | tuple[int, ...]) -> GgufHeader:
        plain = {f"{name}.{key.removeprefix('llama.')}": value for key, value in LLAMA.values.items() if "." in key}
        given = {f"{name}.{key.replace('__', '.')}": value for key, value in values.items()}
        return replace(LLAMA, values=plain | given | {"general.architecture": name})

    assert cell_bytes(LLAMA, "f16", "f16") == 4 * 2 * (64 + 64) * 2
    assert cell_bytes(LLAMA, "q8_0", "q4_0") == 4 * 2 * (64 * 34 + 64 * 18) // 32
    assert state_bytes(LLAMA) == 0
    shared = of("gemma3n", attention__shared_kv_layers=2)
    assert cell_bytes(shared, "f16", "f16") == 2 * 2 * 128 * 2
    latent = of(
        "deepseek2", attention__key_length=576, attention__value_length=512, attention__head_count_kv=1,
        attention__key_length_mla=192,
    )  # fmt: skip
    assert cell_bytes(latent, "f16", "f16") == 4 * 576 * 2
    mamba = of("mamba", ssm__conv_kernel=4, ssm__inner_size=1024, ssm__state_size=16)
    assert cell_bytes(mamba, "f16", "f16") == 0
    assert state_bytes(mamba) == 4 * (3 * 1024 + 16 * 1024) * 4
    hybrid = of(
        "qwen35", ssm__conv_kernel=4, ssm__inner_size=1024, ssm__state_size=128, ssm__group_count=4,
        full_attention_interval=4,
    )  # fmt: skip
    assert cell_bytes(hybrid, "f16", "f16") == 2 * 128 * 2
    assert state_bytes(hybrid) == 3 * (3 * (1024 + 2 * 4 * 128) + 128 * 1024) * 4
    granite = of(
        "jamba", attention__head_count_kv=(0, 0, 2, 0), ssm__conv_kernel=4, ssm__inner_size=1024, ssm__state_size=16
    )
    assert cell_bytes(granite, "f16", "f16") == 2 * 128 * 2
    assert state_bytes(granite) == 3 * (3 * 1024 + 16 * 1024) * 4
    assert cell_bytes(of("bert"), "f16", "f16") == 0

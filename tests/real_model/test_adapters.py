"""LoRA adapters in llama.cpp: their effect on answers, the scales of a request, KV states, and refused files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.adapter import Adapter, AdapterScales
from engine.backend import LoadSettings
from engine.child_commands import load_trial_command
from engine.engine import Engine
from engine.errors import AdapterError, InvalidSettings, ModelFileError
from engine.events import TextDelta
from engine.library.adapter_file import check_adapter
from engine.library.load_trial import LoadTrial
from engine.library.split_files import read_model
from engine.native.adapters import NativeAdapters
from engine.native.backend import open_native
from engine.native.llama import C
from engine.native.model import NativeModel
from engine.requests import GREEDY, CompletionRequest, Sampling
from tests.model_files.tiny_adapter import QUERIES, write_adapter
from tests.model_files.tiny_models import N_EMBD, N_FF, TINY_MODELS

PROMPT = (
    "It was late when the last letter of that long winter came in, and nobody wanted to open it before the morning."
)
MIN_LEAD = 0.08
"""The minimum difference in log probability between each token of an answer and the second likeliest token. Rounding
errors are smaller."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return TINY_MODELS["plain"].write(tmp_path_factory.mktemp("adapted") / "plain.gguf")


@asynccontextmanager
async def engine_with(model: Path, *adapters: Adapter, snapshots: Path | None = None) -> AsyncIterator[Engine]:
    engine = Engine(snapshots=snapshots)
    await engine.load(model, LoadSettings(n_ctx=1024, n_threads=1, adapters=adapters))
    try:
        yield engine
    finally:
        await engine.aclose()


async def ask(
    engine: Engine, scales: AdapterScales | None = None, prompt: str = PROMPT, n_out: int = 24
) -> tuple[str, int]:
    """Returns the answer to a prompt, and the number of prompt tokens that were cached."""
    request = CompletionRequest(prompt, "endpoint", GREEDY, max_tokens=n_out, adapter_scales=scales)
    text, finished = await engine.submit(request).collect()
    return text, finished.usage.n_cached


async def answer_and_lead(engine: Engine, prompt: str) -> tuple[str, float]:
    """Returns the answer to a prompt that is computed without cached tokens, and its lead (see MIN_LEAD)."""
    request = CompletionRequest(prompt, "endpoint", GREEDY, max_tokens=24, n_logprobs=2, use_cache=False)
    text, lead = "", float("inf")
    async for event in engine.submit(request):
        if isinstance(event, TextDelta):
            text += event.text
            lead = min([lead, *(each.others[0][1] - each.others[1][1] for each in event.choices)])
    return text, lead


async def distinct_prompt(model: Path, paths: list[Path], wanted: list[AdapterScales]) -> tuple[str, list[str]]:
    """Returns a prompt and its answers with each of the scales, computed by an engine that was loaded with them. No
    answer contains a near tie, and no two are equal."""
    prompts = [f"{number} {PROMPT}" for number in range(30)]
    found: list[list[tuple[str, float]]] = []
    for scales in wanted:
        async with engine_with(model, *map(Adapter, paths, scales)) as engine:
            found.append([await answer_and_lead(engine, prompt) for prompt in prompts])
    for prompt, answers in zip(prompts, zip(*found, strict=True), strict=True):
        if min(lead for _, lead in answers) > MIN_LEAD and len({text for text, _ in answers}) == len(wanted):
            return prompt, [text for text, _ in answers]
    raise AssertionError("every prompt has a near tie in one of its answers")


def test_adapter_changes_the_answer_except_with_scale_0(model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        path = write_adapter(tmp_path / "style.gguf")
        async with engine_with(model) as engine:
            plain, _ = await ask(engine)
        answers = []
        for scale in (0.0, 1.0, -1.0):
            async with engine_with(model, Adapter(path, scale)) as engine:
                answers.append((await ask(engine))[0])
        assert answers[0] == plain
        assert len({plain, *answers}) == 3

    asyncio.run(run())


def test_requests_with_different_scales_run_together_and_share_no_kv_state(model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        paths = [write_adapter(tmp_path / f"{seed}.gguf", seed=seed) for seed in (1, 2)]
        wanted: list[AdapterScales] = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (0.5, 0.5)]
        prompt, expected = await distinct_prompt(model, paths, wanted)
        async with engine_with(model, *map(Adapter, paths)) as engine:
            for _ in range(2):
                together = await asyncio.gather(*(ask(engine, scales, prompt) for scales in wanted))
                assert [text for text, _ in together] == expected
            assert all(n_cached > 0 for _, n_cached in together)
            engine.set_adapter_scales((0.0, 1.0))
            assert (await ask(engine, prompt=prompt))[0] == expected[2]
            assert engine.status.model is not None
            assert engine.status.model.adapter_scales == (0.0, 1.0)

    asyncio.run(run())


def test_snapshots_are_reused_only_with_the_same_adapter_and_scale(model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        path, other = write_adapter(tmp_path / "a.gguf"), write_adapter(tmp_path / "b.gguf", seed=2)
        n_cached = []
        for adapters in ((), (Adapter(path),), (Adapter(path, 0.5),), (Adapter(other),), (Adapter(path),), ()):
            async with engine_with(model, *adapters, snapshots=tmp_path / "snapshots") as engine:
                n_cached.append((await ask(engine))[1])
        assert n_cached[:4] == [0, 0, 0, 0]
        assert min(n_cached[4:]) > 0
        async with engine_with(model, Adapter(other, 0.0), snapshots=tmp_path / "snapshots") as engine:
            assert (await ask(engine))[1] > 0, "with scale 0, the states of the model itself are valid"
            await ask(engine, (1.0,))
        n_before = len(list((tmp_path / "snapshots").iterdir()))
        async with engine_with(model, Adapter(other, 0.0), snapshots=tmp_path / "snapshots") as engine:
            assert (await ask(engine))[1] > 0
        assert len(list((tmp_path / "snapshots").iterdir())) == n_before

    asyncio.run(run())


def test_greedy_answer_with_an_adapter_is_the_same_from_an_empty_and_a_filled_cache(
    model: Path, tmp_path: Path
) -> None:
    """With the default drafts. Their number would change the rounding, because a token that is computed alone is
    rounded differently; it is the same for each run."""

    async def run() -> None:
        path = write_adapter(tmp_path / "style.gguf")
        prompts = [f"{number} {PROMPT * n}" for number, n in enumerate((1, 3))]
        async with engine_with(model, Adapter(path)) as engine:
            for prompt in prompts:
                first = await exact_answer(engine, prompt)
                assert await exact_answer(engine, prompt) == first
                assert await exact_answer(engine, prompt, use_cache=False) == first
            again = await exact_answer(engine, prompts[0])
        async with engine_with(model, Adapter(path)) as engine:
            assert await exact_answer(engine, prompts[0]) == again

    asyncio.run(run())


async def exact_answer(engine: Engine, prompt: str, *, use_cache: bool = True) -> list[tuple[bytes, float]]:
    """Returns the tokens of an answer with their log probabilities."""
    sampling = Sampling(temperature=0.0, seed=1)
    request = CompletionRequest(prompt, "endpoint", sampling, max_tokens=32, n_logprobs=1, use_cache=use_cache)
    deltas = [event async for event in engine.submit(request) if isinstance(event, TextDelta)]
    return [(choice.token, choice.logprob) for delta in deltas for choice in delta.choices]


WIDE = {"blk.0.attn_q.weight": (N_EMBD, N_EMBD * 2)}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"architecture": "qwen2"}, "it is for qwen2 models, the model is llama"),
        (
            {"tensors": {"blk.9.attn_q.weight": (N_EMBD, N_EMBD)}},
            "it changes blk.9.attn_q.weight, which the model does",
        ),
        ({"tensors": WIDE}, "blk.0.attn_q.weight has another shape in the model"),
        ({"kind": "control_vector"}, "it is of the kind control_vector, not lora"),
        ({"general_type": "model"}, "it is not an adapter"),
        ({"tensors": {}}, "it contains no weights"),
    ],
)
def test_adapter_that_does_not_fit_has_a_reason(
    model: Path, tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    path = write_adapter(tmp_path / "x.gguf", **changes)  # type: ignore[arg-type]
    with pytest.raises(AdapterError, match=reason) as refused:
        check_adapter(Adapter(path), read_model(model))
    assert refused.value.path == path


def test_llama_cpp_accepts_every_shape_that_the_check_accepts(model: Path, tmp_path: Path) -> None:
    tensors = {**QUERIES, "blk.0.ffn_down.weight": (N_EMBD, N_FF)}
    path = write_adapter(tmp_path / "x.gguf", tensors=tensors)
    backend = open_native(model, LoadSettings(n_ctx=256, adapters=(Adapter(path),)), lambda progress: True)
    backend.close()
    assert backend.info.adapter_errors == ()


@pytest.mark.parametrize("has_trial", [True, False])
def test_model_is_loaded_without_the_adapters_that_cannot_be_used(model: Path, tmp_path: Path, has_trial: bool) -> None:
    async def run() -> None:
        good, cut = write_adapter(tmp_path / "good.gguf"), write_adapter(tmp_path / "cut.gguf")
        cut.write_bytes(cut.read_bytes()[:-2000])
        other, missing = write_adapter(tmp_path / "other.gguf", "qwen2"), tmp_path / "missing.gguf"
        adapters = tuple(map(Adapter, (missing, good, cut, other)))
        engine = Engine(load_trial=LoadTrial(None) if has_trial else None)
        try:
            info = await engine.load(model, LoadSettings(n_ctx=1024, n_threads=1, adapters=adapters))
            assert engine.status.state == "ready"
            assert info.adapters == (Adapter(good),)
            assert {error.path for error in info.load_errors} == {missing, cut, other}
            assert str(info.adapter_errors[0]) == "the adapter missing.gguf is not used: there is no such file"
            await ask(engine, (1.0,))
        finally:
            await engine.aclose()

    asyncio.run(run())


def test_adapter_that_ends_the_process_is_left_out_by_the_trial(model: Path, tmp_path: Path) -> None:
    """llama.cpp aborts if a number of the adapter is a text."""
    path = write_adapter(tmp_path / "hostile.gguf", alpha="eight")
    good = write_adapter(tmp_path / "good.gguf")

    async def run() -> None:
        engine = Engine(load_trial=LoadTrial(None))
        try:
            info = await engine.load(model, LoadSettings(n_ctx=256, adapters=(Adapter(good), Adapter(path))))
            assert info.adapters == (Adapter(good),)
            (error,) = info.adapter_errors
            assert error.path == path
            assert "the trial ended" in error.reason
        finally:
            await engine.aclose()

    asyncio.run(run())


@pytest.mark.parametrize("why", ["failed to allocate buffer for lora adapter", "something else"])
def test_model_is_loaded_without_an_adapter_that_llama_cpp_cannot_load(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    message = f"llama_adapter_lora_init: failed to apply lora adapter: {why}"
    monkeypatch.setattr("engine.native.adapters.take_error_message", lambda: message)
    monkeypatch.setattr(C, "llama_adapter_lora_init", lambda model, path: None)
    settings = LoadSettings(n_ctx=256, adapters=(Adapter(write_adapter(tmp_path / "x.gguf")),))
    backend = open_native(model, settings, lambda progress: True)
    backend.close()
    assert backend.info.adapters == ()
    (error,) = backend.info.adapter_errors
    assert why in error.reason


def test_adapter_without_memory_for_it_is_tried_with_fewer_layers_on_cards(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a ModelFileError, a model is loaded again with fewer layers on graphics cards."""
    message = "llama_adapter_lora_init: failed to apply lora adapter: failed to allocate buffer for lora adapter"
    monkeypatch.setattr("engine.native.adapters.take_error_message", lambda: message)
    monkeypatch.setattr(C, "llama_adapter_lora_init", lambda model, path: None)
    loaded = NativeModel(model, lambda progress: True)
    try:
        with pytest.raises(ModelFileError, match=r"x\.gguf: failed to allocate buffer"):
            NativeAdapters(loaded, [tmp_path / "x.gguf"])
    finally:
        loaded.close()


def test_too_many_adapters_are_an_invalid_setting(model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        adapter = Adapter(write_adapter(tmp_path / "x.gguf"))
        engine = Engine(load_trial=LoadTrial(None))
        try:
            await engine.load(model, LoadSettings(n_ctx=256))
            with pytest.raises(InvalidSettings):
                await engine.load(model, LoadSettings(adapters=(adapter,) * 17))
            assert engine.status.state == "ready"
        finally:
            await engine.aclose()

    asyncio.run(run())


@pytest.mark.parametrize("scale", [float("nan"), float("inf"), -101.0])
def test_adapter_with_an_impossible_scale_is_left_out(model: Path, tmp_path: Path, scale: float) -> None:
    settings = LoadSettings(n_ctx=256, adapters=(Adapter(write_adapter(tmp_path / "x.gguf"), scale),))
    backend = open_native(model, settings, lambda progress: True)
    backend.close()
    assert backend.info.adapters == ()
    assert [error.reason for error in backend.info.adapter_errors] == ["its scale is not between -100 and 100"]


def test_adapter_opened_as_a_model_is_named_as_an_adapter(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="it is an adapter for llama models"):
        LoadTrial(None).check(write_adapter(tmp_path / "x.gguf"), bool)


def test_damaged_and_missing_adapters_are_refused(model: Path, tmp_path: Path) -> None:
    path = write_adapter(tmp_path / "cut.gguf", tensors=QUERIES)
    path.write_bytes(path.read_bytes()[:-2000])
    for adapter in (path, tmp_path / "none.gguf"):
        with pytest.raises(AdapterError, match=r"incomplete|no such file") as refused:
            LoadTrial(None).check(model, bool, (Adapter(adapter),))
        assert refused.value.path == adapter


def test_trial_is_repeated_for_another_adapter(model: Path, tmp_path: Path) -> None:
    tried: list[Path] = []

    def command(path: Path) -> list[str]:
        tried.append(path)
        return load_trial_command(path)

    trial = LoadTrial(tmp_path / "passed", command)
    one, two = (Adapter(write_adapter(tmp_path / f"{seed}.gguf", seed=seed)) for seed in (1, 2))
    for adapters, n_tried in (((one,), 1), ((Adapter(one.path, 0.5),), 1), ((two,), 2), ((one, two), 3), ((two,), 3)):
        trial.check(model, bool, adapters)
        assert len(tried) == n_tried

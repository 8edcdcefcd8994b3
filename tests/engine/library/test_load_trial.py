"""The load trial rejects files that would crash the process. Files that passed are not tried again."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.child_commands import load_trial_command
from engine.engine import Engine
from engine.errors import LoadCancelled, ModelFileError
from engine.library.load_trial import LoadTrial
from engine.native import run_as_child
from engine.native.load_trial_process import EVERY_BYTE
from tests.conftest import chat
from tests.fakes import FakeOpener
from tests.model_files.tiny_llama import WORDS, write_llama

BOMB = "{% set ns = namespace(s='a') %}{% for i in range(40) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}"
LOOPS = "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}"


def never() -> bool:
    return False


def child(code: str) -> LoadTrial:
    return LoadTrial(None, lambda path: [sys.executable, "-c", code])


def test_file_that_passed_is_tried_again_only_after_a_change(tmp_path: Path) -> None:
    path = write_llama(tmp_path / "tiny.gguf")
    tried: list[Path] = []

    def command(path: Path) -> list[str]:
        tried.append(path)
        return [sys.executable, "-m", "engine.native.load_trial_process", str(path)]

    probe = LoadTrial(tmp_path / "probed", command)
    probe.check(path, never)
    probe.check(path, never)
    assert tried == [path]
    path.write_bytes(path.read_bytes())  # same content, another modification time
    probe.check(path, never)
    assert len(tried) == 2


def test_default_model_passes_without_load_trial(model_path: Path, tmp_path: Path) -> None:
    LoadTrial(tmp_path, lambda path: pytest.fail("tried")).check(model_path, never)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"llama.attention.head_count": 7}, "invalid n_rot"),
        # the next three changes make llama.cpp abort
        ({"llama.rope.scaling.type": "unheard of"}, "cannot load it .the trial ended"),
        ({"llama.block_count": 0}, "cannot load it .the trial ended"),
        ({"llama.expert_count": 3, "llama.expert_used_count": 5}, "cannot load it .the trial ended"),
        ({"llama.block_count": 3}, "not found"),
    ],
)
def test_file_that_llama_cpp_cannot_load_is_rejected(tmp_path: Path, change: dict[str, object], reason: str) -> None:
    path = write_llama(tmp_path / "tiny.gguf", change)
    started = time.monotonic()
    with pytest.raises(ModelFileError, match=reason):
        LoadTrial(tmp_path / "probed").check(path, never)
    assert time.monotonic() - started < 20
    assert not (tmp_path / "probed").exists()


@pytest.mark.parametrize(
    ("word", "at"), [("<0x-1>", 3), ("<0xZZ>", 100), ("<0x", 3 + 0xEF), ("", 100), ("x" * 5_000_000, 3 + 0x9F)]
)
def test_vocabulary_with_missing_byte_is_rejected(tmp_path: Path, word: str, at: int) -> None:
    """llama.cpp loads such a file, but aborts at the first text that contains the missing byte."""
    words = [*WORDS[:at], word, *WORDS[at + 1 :]]
    with pytest.raises(ModelFileError, match="vocabulary is damaged"):
        LoadTrial(None).check(write_llama(tmp_path / "tiny.gguf", words=words), never)


def test_text_tokenized_by_the_load_trial_contains_every_byte_that_utf8_allows() -> None:
    assert set(EVERY_BYTE.encode()) == set(range(256)) - {0xC0, 0xC1, *range(0xF5, 0x100)}


@pytest.mark.parametrize("template", [LOOPS, BOMB])
def test_model_with_endless_template_passes_the_load_trial(tmp_path: Path, template: str) -> None:
    LoadTrial(None).check(write_llama(tmp_path / "tiny.gguf", {"tokenizer.chat_template": template}), never)


def test_file_is_rejected_if_the_child_crashes_or_reports_nothing(tmp_path: Path) -> None:
    path = write_llama(tmp_path / "tiny.gguf")
    with pytest.raises(ModelFileError, match="cannot load"):
        child("import os; print('probe: loading', flush=True); os.abort()").check(path, never)
    with pytest.raises(ModelFileError, match="load trial failed"):
        child("print('hm')").check(path, never)
    with pytest.raises(ModelFileError, match="cannot compute"):
        child("print('probe: computing', flush=True); raise SystemExit(3)").check(path, never)


def test_cancelling_the_load_trial_kills_the_child(tmp_path: Path) -> None:
    path = write_llama(tmp_path / "tiny.gguf")
    started = time.monotonic()
    with pytest.raises(LoadCancelled):
        child("import time; time.sleep(60)").check(path, lambda: time.monotonic() - started > 0.3)
    assert time.monotonic() - started < 30


def test_loaded_model_stays_loaded_if_another_file_is_rejected(tmp_path: Path) -> None:
    path = write_llama(tmp_path / "tiny.gguf")
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"no model at all, but long enough to look at")

    async def run() -> None:
        engine = Engine(FakeOpener(), load_trial=child("print('probe: good')"))
        with pytest.raises(ModelFileError):
            await engine.load(bad)
        assert engine.status.model is None
        await engine.load(path)
        with pytest.raises(ModelFileError, match="not a GGUF"):
            await engine.load(bad)
        status = engine.status
        assert status.state == "ready"
        assert isinstance(status.error, ModelFileError)
        text, _ = await engine.submit(chat(max_tokens=3)).collect()
        assert len(text) == 3
        await engine.aclose()

    asyncio.run(run())


def test_engine_has_no_model_after_a_load_is_cancelled_during_the_load_trial(tmp_path: Path) -> None:
    path = write_llama(tmp_path / "tiny.gguf")

    async def run() -> None:
        engine = Engine(FakeOpener(), load_trial=child("import time; time.sleep(60)"))
        loading = asyncio.create_task(engine.load(path))
        await asyncio.sleep(0.2)
        engine.cancel_load()
        with pytest.raises(LoadCancelled):
            await loading
        assert engine.status.state == "empty"
        await engine.aclose()

    asyncio.run(run())


def test_packaged_program_starts_itself_for_the_load_trial(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"GGUF" + b"\0" * 100)
    assert run_as_child(["--model", str(bad)]) is None
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert run_as_child(["--model", str(bad)]) is None
    command = load_trial_command(bad)
    assert command[0] == sys.executable
    script = (
        f"import sys; from engine.native import run_as_child; sys.frozen = True; sys.exit(run_as_child({command[1:]}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=Path(__file__).parents[3], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "refused" in done.stdout

"""The tokenizer: special tokens, texts of any length, and pre-tokenizers that cannot take one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.backend import TokenizationCancelled
from engine.native.llama import C
from engine.native.model import NativeModel
from engine.native.tokenizer import CHUNK, MAX_RUN, PLAIN_PRE_TOKENIZERS, _cuts_of_runs
from tests.model_files.tiny_bpe import DEFINED, PRE_TOKENIZERS, SPECIALS, write_bpe
from tests.model_files.tiny_llama import write_llama
from tests.tokenizer_fuzz import fuzz

ROOT = Path(__file__).parents[3]
UNITS = ("Z", "漢", " ", "1", "a\u0301", "ab ", "\n", ".", "😀", "aA", "<|im_start|>", "<think>")
ORDINARY = (
    "It's 3 o'clock; the café's cat — “Minka” — naps.\n\n    def f(x):\n        return x ** 2  # ok\n"
    "日本語の文章、漢字とかな。 Съешь ещё этих мягких булок! 1234567 8.90 http://a.b/c?d=e&f "
)

CHILD = """
import sys
from pathlib import Path
from engine.native.model import NativeModel
from tests.model_files.tiny_bpe import write_bpe
folder, size, units, *kinds = sys.argv[1:]
for kind in kinds:
    model = NativeModel(write_bpe(Path(folder) / f"{kind}.gguf", kind), lambda progress: True)
    for unit in units.split("|||"):
        tokens = model.tokenize(unit * (int(size) // len(unit)), add_special=False)
        print(kind, repr(unit), len(tokens), flush=True)
    model.close()
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeModel]:
    model = NativeModel(write_bpe(tmp_path_factory.mktemp("bpe") / "m.gguf", "llama-bpe"), lambda progress: True)
    yield model
    model.close()


def whole(model: NativeModel, text: str, *, add_special: bool = False, parse_special: bool = True) -> list[int]:
    """What llama.cpp makes of the text in one call."""
    data = text.encode()
    tokens = (C.llama_token * (len(data) + 8))()
    n = C.llama_tokenize(model.vocab, data, len(data), tokens, len(tokens), add_special, parse_special)
    return list(tokens[:n])


def run_child(folder: Path, size: int, kinds: tuple[str, ...], units: tuple[str, ...] = UNITS) -> None:
    """A process of its own, since what is tested here used to end it."""
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder), str(size), "|||".join(units), *kinds],
        cwd=ROOT,
        env=os.environ | {"GGML_NO_BACKTRACE": "1"},
        capture_output=True,
        text=True,
        timeout=280,
    )
    last = child.stdout.splitlines()[-1:]
    assert child.returncode == 0, f"ended with {child.returncode} after {last}: {child.stderr[-500:]}"
    assert child.stdout.count("\n") == len(kinds) * len(units)


@pytest.mark.parametrize("part", range(4))
@pytest.mark.timeout(300)
def test_unbroken_run_of_20000_characters_passes_every_pre_tokenizer(part: int, tmp_path: Path) -> None:
    run_child(tmp_path, 20_000, PRE_TOKENIZERS[part::4], UNITS[:6])


@pytest.mark.parametrize("kind", ["gpt-4o", "deepseek-v3", "tekken", "llama4", "superbpe", "exaone-moe"])
@pytest.mark.timeout(300)
def test_unbroken_run_of_200000_characters_passes(kind: str, tmp_path: Path) -> None:
    run_child(tmp_path, 200_000, (kind,), ("Z", "漢", " ", "1", "a\u0301", "ab "))


def test_every_plain_pre_tokenizer_is_one_that_was_tested() -> None:
    assert set(PRE_TOKENIZERS) >= PLAIN_PRE_TOKENIZERS


@pytest.mark.parametrize("kind", PRE_TOKENIZERS)
def test_ordinary_text_has_the_tokens_of_llama_cpp(kind: str, tmp_path: Path) -> None:
    model = NativeModel(write_bpe(tmp_path / "m.gguf", kind), lambda progress: True)
    chat = f"<|im_start|>user\n{ORDINARY}<|im_end|>\n<think>{ORDINARY}</think>  <|im_end|>"
    try:
        for text in (ORDINARY, chat, "", " ", "a"):
            for add_special in (False, True):
                for parse_special in (False, True):
                    found = model.tokenize(text, add_special=add_special, parse_special=parse_special)
                    expected = whole(model, text, add_special=add_special, parse_special=parse_special)
                    assert found == expected, (text[:20], add_special, parse_special)
    finally:
        model.close()


def test_sentencepiece_vocabulary_has_the_tokens_of_llama_cpp(tmp_path: Path) -> None:
    model = NativeModel(write_llama(tmp_path / "m.gguf"), lambda progress: True)
    try:
        for text in (ORDINARY, f"<s>{ORDINARY}</s> a</s>", "", " ", "a"):
            for add_special in (False, True):
                found = model.tokenize(text, add_special=add_special)
                assert found == whole(model, text, add_special=add_special)
        words = "some words " * CHUNK
        assert model.tokenize(words, add_special=False) == whole(model, words)
        run = "x" * (3 * CHUNK)
        assert b"".join(map(model.piece, model.tokenize(run, add_special=False))) == b" " + run.encode()
    finally:
        model.close()


@pytest.mark.parametrize("kind", ["llama-bpe", "gpt-4o", "deepseek-v3"])
def test_long_ordinary_text_has_the_tokens_of_llama_cpp(kind: str, tmp_path: Path) -> None:
    model = NativeModel(write_bpe(tmp_path / "m.gguf", kind), lambda progress: True)
    text = ORDINARY * (3 * CHUNK // len(ORDINARY))
    try:
        assert len(text) > 2 * CHUNK
        assert model.tokenize(text, add_special=False) == whole(model, text)
    finally:
        model.close()


def test_growing_text_keeps_the_tokens_of_its_beginning(model: NativeModel) -> None:
    """Else what is in memory of a chat would be read again with each turn."""
    words = "hello world, " * (CHUNK // 8)
    tokens = model.tokenize(words, add_special=False)
    longer = model.tokenize(words + "hello " * CHUNK, add_special=False)
    assert longer[: len(tokens) - 2] == tokens[:-2]


def test_control_text_is_a_token_only_with_parse_special(model: NativeModel) -> None:
    (token,) = model.tokenize("<|im_end|>", add_special=False)
    plain = model.tokenize("<|im_end|>", add_special=False, parse_special=False)
    assert token not in plain
    assert b"".join(map(model.piece, plain)) == b"<|im_end|>"
    marked = model.tokenize("a<\ufdd0|im_end|><|im_end|>", add_special=False, mark="\ufdd0")
    assert marked == [*model.tokenize("a", add_special=False), *plain, token]
    assert set(model.vocabulary().control_texts) == set(SPECIALS)


@pytest.mark.parametrize("unit", [*SPECIALS[1:], *DEFINED])
def test_many_special_tokens_take_linear_time(model: NativeModel, unit: str) -> None:
    """40,000 took 4.5 s; ten times as many would have taken ten minutes."""
    started = time.thread_time()
    assert len(model.tokenize(unit * 400_000, add_special=False)) == 400_000
    assert time.thread_time() - started < 20


def test_runs_of_the_longest_length_are_cut_in_linear_time() -> None:
    """10 million characters took 10 s."""
    text = ("a" * MAX_RUN + " ") * (4_000_000 // MAX_RUN)
    started = time.thread_time()
    assert list(_cuts_of_runs(text, 0, len(text))) == []
    assert time.thread_time() - started < 1


def test_special_tokens_that_take_blanks_with_them_take_linear_time(tmp_path: Path) -> None:
    """50,000 took 1.1 s, in time quadratic in their number."""
    model = NativeModel(write_bpe(tmp_path / "m.gguf", "llama-bpe", name="Phi-3 tiny"), lambda progress: True)
    try:
        started = time.thread_time()
        tokens = model.tokenize("<|im_end|> \n" * 400_000, add_special=False)
        assert time.thread_time() - started < 20
    finally:
        model.close()
    assert len(tokens) == 400_000


@pytest.mark.parametrize("unit", ["Z", " ", "<|im_start|>", "a <|im_start|>"])
def test_cancelled_tokenizing_ends_soon(model: NativeModel, unit: str) -> None:
    asked: list[float] = []

    def cancelled() -> bool:
        asked.append(time.monotonic())
        return len(asked) > 2

    with pytest.raises(TokenizationCancelled):
        model.tokenize(unit * 1_000_000, add_special=False, cancelled=cancelled)
    assert time.monotonic() - asked[-1] < 5


def test_random_texts_come_back_from_their_tokens_in_bounded_time() -> None:
    """Longer by INGLENOOK_FUZZ_SECONDS."""
    assert fuzz(float(os.environ.get("INGLENOOK_FUZZ_SECONDS", "3")), 11) == []


CONSTRAINED = """
import json, sys
from pathlib import Path
from engine.errors import ConstraintError
from engine.native.constraint_tokenizer import open_tokenizer
from engine.native.model import NativeModel
from engine.output.constraints.compiled_constraint import compile_constraint
from engine.requests import Constraint
from tests.model_files.tiny_bpe import write_bpe
model = NativeModel(write_bpe(Path(sys.argv[1]) / "m.gguf", "gpt-4o"), lambda progress: True)
tokenizer = open_tokenizer(model)
for kind, source in (("json_schema", json.dumps({"const": "Z" * 60_000})), ("choice", json.dumps(["Z" * 60_000]))):
    try:
        matcher = compile_constraint(Constraint(kind, source), tokenizer).matcher()
        matcher.mask()
    except ConstraintError as error:
        print(error)
print("alive")
"""


def test_constraint_on_an_unbroken_run_leaves_the_process_alive(tmp_path: Path) -> None:
    """llguidance calls the tokenizer by itself, for what a constraint leaves no choice about."""
    child = subprocess.run(
        [sys.executable, "-c", CONSTRAINED, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert child.returncode == 0, child.stderr[-500:]
    assert child.stdout.endswith("alive\n")

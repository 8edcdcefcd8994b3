"""The tokenizer over llama.cpp: the same tokens as llama.cpp, special tokens, long texts, cancelling."""

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
from engine.native.tokenizer import MAX_PIECE, MAX_RUN, PLAIN_PRE_TOKENIZERS, _run_ends
from tests.engine.native.tokenizer_fuzz import fuzz
from tests.model_files.tiny_bpe import DEFINED, PRE_TOKENIZERS, SPECIALS, write_bpe
from tests.model_files.tiny_llama import write_llama

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


def llama_tokenize(
    model: NativeModel, text: str, *, add_special: bool = False, parse_special: bool = True
) -> list[int]:
    """Tokens of the whole text from one call of llama.cpp."""
    data = text.encode()
    tokens = (C.llama_token * (len(data) + 8))()
    n = C.llama_tokenize(model.vocab, data, len(data), tokens, len(tokens), add_special, parse_special)
    return list(tokens[:n])


def run_child(folder: Path, size: int, kinds: tuple[str, ...], units: tuple[str, ...] = UNITS) -> None:
    """Tokenizes long texts in a child process, because llama.cpp without this tokenizer would crash the process."""
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
def test_no_pre_tokenizer_crashes_at_a_repetitive_text_of_20000_characters(part: int, tmp_path: Path) -> None:
    run_child(tmp_path, 20_000, PRE_TOKENIZERS[part::4], UNITS[:6])


@pytest.mark.parametrize("kind", ["gpt-4o", "deepseek-v3", "tekken", "llama4", "superbpe", "exaone-moe"])
@pytest.mark.timeout(300)
def test_no_regex_pre_tokenizer_crashes_at_a_repetitive_text_of_100000_characters(kind: str, tmp_path: Path) -> None:
    run_child(tmp_path, 100_000, (kind,), ("Z", "漢", " ", "1", "a\u0301", "ab "))


def test_every_pre_tokenizer_listed_as_free_of_regex_is_tested() -> None:
    assert set(PRE_TOKENIZERS) >= PLAIN_PRE_TOKENIZERS


@pytest.mark.parametrize("kind", PRE_TOKENIZERS)
def test_bpe_tokens_equal_those_of_llama_cpp(kind: str, tmp_path: Path) -> None:
    model = NativeModel(write_bpe(tmp_path / "m.gguf", kind), lambda progress: True)
    chat = f"<|im_start|>user\n{ORDINARY}<|im_end|>\n<think>{ORDINARY}</think>  <|im_end|>"
    try:
        for text in (ORDINARY, chat, "", " ", "a"):
            for add_special in (False, True):
                for parse_special in (False, True):
                    found = model.tokenize(text, add_special=add_special, parse_special=parse_special)
                    expected = llama_tokenize(model, text, add_special=add_special, parse_special=parse_special)
                    assert found == expected, (text[:20], add_special, parse_special)
    finally:
        model.close()


def test_sentencepiece_tokens_equal_those_of_llama_cpp(tmp_path: Path) -> None:
    model = NativeModel(write_llama(tmp_path / "m.gguf"), lambda progress: True)
    try:
        for text in (ORDINARY, f"<s>{ORDINARY}</s> a</s>", "", " ", "a"):
            for add_special in (False, True):
                found = model.tokenize(text, add_special=add_special)
                assert found == llama_tokenize(model, text, add_special=add_special)
        words = "some words " * MAX_PIECE
        assert model.tokenize(words, add_special=False) == llama_tokenize(model, words)
        run = "x" * (3 * MAX_PIECE)
        assert b"".join(map(model.piece, model.tokenize(run, add_special=False))) == b" " + run.encode()
    finally:
        model.close()


@pytest.mark.parametrize("kind", ["llama-bpe", "gpt-4o", "deepseek-v3"])
def test_tokens_of_long_text_equal_those_of_llama_cpp(kind: str, tmp_path: Path) -> None:
    model = NativeModel(write_bpe(tmp_path / "m.gguf", kind), lambda progress: True)
    text = ORDINARY * (3 * MAX_PIECE // len(ORDINARY))
    try:
        assert len(text) > 2 * MAX_PIECE
        assert model.tokenize(text, add_special=False) == llama_tokenize(model, text)
    finally:
        model.close()


def test_growing_text_keeps_its_first_tokens(model: NativeModel) -> None:
    """If the first tokens changed, the cached prefix of a chat would not match its next turn."""
    words = "hello world, " * (MAX_PIECE // 8)
    tokens = model.tokenize(words, add_special=False)
    longer = model.tokenize(words + "hello " * MAX_PIECE, add_special=False)
    assert longer[: len(tokens) - 2] == tokens[:-2]


def test_control_token_text_becomes_the_token_only_with_parse_special(model: NativeModel) -> None:
    (token,) = model.tokenize("<|im_end|>", add_special=False)
    plain = model.tokenize("<|im_end|>", add_special=False, parse_special=False)
    assert token not in plain
    assert b"".join(map(model.piece, plain)) == b"<|im_end|>"
    marked = model.tokenize("a<\ufdd0|im_end|><|im_end|>", add_special=False, mark="\ufdd0")
    assert marked == [*model.tokenize("a", add_special=False), *plain, token]
    assert set(model.vocabulary().control_texts) == set(SPECIALS)


@pytest.mark.parametrize("unit", [*SPECIALS[1:], *DEFINED])
def test_many_special_tokens_take_linear_time(model: NativeModel, unit: str) -> None:
    """llama.cpp alone takes quadratic time: 4.5 s for 40,000 special tokens."""
    started = time.thread_time()
    assert len(model.tokenize(unit * 400_000, add_special=False)) == 400_000
    assert time.thread_time() - started < 20


def test_search_for_words_that_are_too_long_takes_linear_time() -> None:
    """An earlier regex with a minimum length took 10 s for 10 million characters."""
    text = ("a" * MAX_RUN + " ") * (4_000_000 // MAX_RUN)
    started = time.thread_time()
    assert list(_run_ends(text, 0, len(text))) == []
    assert time.thread_time() - started < 1


def test_special_tokens_that_strip_whitespace_take_linear_time(tmp_path: Path) -> None:
    """An earlier, quadratic implementation took 1.1 s for 50,000 tokens."""
    model = NativeModel(write_bpe(tmp_path / "m.gguf", "llama-bpe", name="Phi-3 tiny"), lambda progress: True)
    try:
        started = time.thread_time()
        tokens = model.tokenize("<|im_end|> \n" * 400_000, add_special=False)
        assert time.thread_time() - started < 20
    finally:
        model.close()
    assert len(tokens) == 400_000


@pytest.mark.parametrize("unit", ["Z", " ", "<|im_start|>", "a <|im_start|>"])
def test_cancelled_tokenization_raises_within_5_seconds(model: NativeModel, unit: str) -> None:
    checks: list[float] = []

    def cancelled() -> bool:
        checks.append(time.monotonic())
        return len(checks) > 2

    with pytest.raises(TokenizationCancelled):
        model.tokenize(unit * 1_000_000, add_special=False, cancelled=cancelled)
    assert time.monotonic() - checks[-1] < 5


def test_random_texts_are_restored_from_their_tokens_in_bounded_time() -> None:
    """The environment variable INGLENOOK_FUZZ_SECONDS sets the duration."""
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


def test_constraint_with_a_long_run_of_one_character_does_not_crash_the_process(tmp_path: Path) -> None:
    """llguidance calls the tokenizer with text that a constraint fully determines, here 60,000 equal characters."""
    child = subprocess.run(
        [sys.executable, "-c", CONSTRAINED, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert child.returncode == 0, child.stderr[-500:]
    assert child.stdout.endswith("alive\n")

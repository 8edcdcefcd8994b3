"""Fuzzes the tokenizer over llama.cpp with random texts. Detokenizing must restore each text, and the time must be
linear in its length.

For a longer run: `python -m tests.soak.fuzzers tests.engine.native.tokenizer_fuzz SECONDS [SEED]`.
"""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

from engine.native.model import NativeModel
from tests.model_files.tiny_bpe import DEFINED, PRE_TOKENIZERS, SPECIALS, write_bpe

MAX_CHARS = 30_000
SECONDS_A_CHAR = 1e-4
"""Maximum time per character: about five times that of the slowest pre-tokenizer."""

RAW_UTF8 = {"gemma4", "granite-embed-multi-311m", "sarvam-moe", "whitespace"}
"""Pre-tokenizers that lose characters here, because they need another vocabulary than the test's."""

PIECES = (
    *"Z漢 1\n\t.,'\"\\<|>_-=/\u0301\u200d\ufeff\u00ad😀éßЖはกि𐐀", "ab ", "\r\n", "it's ", "don't", " word", "123", "aA",
    *SPECIALS, *DEFINED, "<|im_", "end|>", "<thin", "k>",
)  # fmt: skip


def fuzz(seconds: float, seed: int) -> list[str]:
    """Returns descriptions of texts that took too long or were not restored. A crash ends this process; its parent
    process reports it."""
    source, end = random.Random(seed), time.monotonic() + seconds
    found: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        while not found:
            kind = source.choice(PRE_TOKENIZERS)
            model = NativeModel(write_bpe(Path(folder) / "fuzz.gguf", kind), lambda progress: True)
            try:
                found = [finding for _ in range(5) if (finding := _finding(model, kind, _text(source)))]
            finally:
                model.close()
            if time.monotonic() > end:
                break
    return found


def _text(source: random.Random) -> str:
    pieces = source.choices(PIECES, k=source.randint(1, 12))
    size = source.choice((1, 50, 2000, MAX_CHARS))
    if source.random() < 0.5:  # each piece is repeated many times in a row
        return "".join(piece * (source.randint(1, size) // len(piece) + 1) for piece in pieces)[:MAX_CHARS]
    return "".join(source.choices(pieces, k=size))[:MAX_CHARS]


def _finding(model: NativeModel, kind: str, text: str) -> str:
    for parse_special in (True, False):
        started = time.thread_time()
        tokens = model.tokenize(text, add_special=False, parse_special=parse_special)
        took = time.thread_time() - started
        if took > 0.2 + SECONDS_A_CHAR * len(text):
            return f"{kind}: {took:.2f} s for {text[:60]!r}… ({len(text)})"
        if kind not in RAW_UTF8:
            again = b"".join(model.piece(token) or model.name(token) for token in tokens)
            if again != text.encode():
                return f"{kind}: {text[:60]!r}… comes back as {again[:60]!r}…"
    return ""

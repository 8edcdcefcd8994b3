"""Random texts for the tokenizer. `python -m tests.tokenizer_fuzz [SECONDS [SEED]]` runs for longer.

Checks that a text comes back from its tokens, that ordinary texts have llama.cpp's own tokens, and that the time is
bounded by the length.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

from engine.native.model import NativeModel
from tests.tiny_bpe import DEFINED, PRE_TOKENIZERS, SPECIALS, write_bpe

MAX_CHARS = 30_000
SECONDS_A_CHAR = 1e-4
"""Some five times what the slowest pre-tokenizer takes."""

RAW_UTF8 = {"gemma4", "granite-embed-multi-311m", "sarvam-moe", "whitespace"}
"""These want another vocabulary, and lose what is not in this one."""

PIECES = (
    *"Z漢 1\n\t.,'\"\\<|>_-=/\u0301\u200d\ufeff\u00ad😀éßЖはกि𐐀", "ab ", "\r\n", "it's ", "don't", " word", "123", "aA",
    *SPECIALS, *DEFINED, "<|im_", "end|>", "<thin", "k>",
)  # fmt: skip


def fuzz(source: random.Random, seconds: float, folder: Path) -> int:
    """How many texts were tried."""
    end, n = time.monotonic() + seconds, 0
    while n == 0 or time.monotonic() < end:
        kind = source.choice(PRE_TOKENIZERS)
        model = NativeModel(write_bpe(folder / "fuzz.gguf", kind), lambda progress: True)
        try:
            for _ in range(5):
                _check(model, kind, _text(source))
                n += 1
        finally:
            model.close()
    return n


def _text(source: random.Random) -> str:
    pieces = source.choices(PIECES, k=source.randint(1, 12))
    size = source.choice((1, 50, 2000, MAX_CHARS))
    if source.random() < 0.5:  # long runs
        return "".join(piece * (source.randint(1, size) // len(piece) + 1) for piece in pieces)[:MAX_CHARS]
    return "".join(source.choices(pieces, k=size))[:MAX_CHARS]


def _check(model: NativeModel, kind: str, text: str) -> None:
    for parse_special in (True, False):
        started = time.thread_time()
        tokens = model.tokenize(text, add_special=False, parse_special=parse_special)
        took = time.thread_time() - started
        assert took < 0.2 + SECONDS_A_CHAR * len(text), f"{kind}: {took:.2f} s for {text[:60]!r}… ({len(text)})"
        if kind not in RAW_UTF8:
            again = b"".join(model.piece(token) or model.name(token) for token in tokens)
            assert again == text.encode(), f"{kind}: {text[:60]!r}… comes back as {again[:60]!r}…"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as where:
        given = sys.argv[1:] + ["60", "0"][len(sys.argv) - 1 :]
        sys.stdout.write(f"{fuzz(random.Random(int(given[1])), float(given[0]), Path(where))} texts\n")

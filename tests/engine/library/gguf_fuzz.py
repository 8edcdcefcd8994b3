"""Writes corrupt GGUF files and tests whether each one is handled.

`python -m tests.engine.library.gguf_fuzz --seconds 600 [--trial]` searches for files that are not handled. A file is
handled if reading its header, estimating its memory and running its load trial end in bounded time and memory:
successfully, or with a ModelFileError, EngineError or `unusable_reason`. A seed always gives the same file.
"""

from __future__ import annotations

import argparse
import random
import struct
import sys
import tempfile
import time
import tracemalloc
from dataclasses import dataclass
from pathlib import Path

from engine.backend import LoadSettings
from engine.errors import EngineError, ModelFileError
from engine.library.load_settings_check import check_settings
from engine.library.load_trial import LoadTrial
from engine.library.memory_estimate import choose_context_length, context_shape
from engine.library.memory_fit import estimate_fit
from engine.library.model_metadata import metadata_from_header, unusable_reason
from engine.library.split_files import read_model
from tests.model_files.tiny_llama import N_EMBD, write_llama

LONGEST_S, LARGEST_BYTES = 2.0, 64 << 20
"""Limits for a header of some kilobytes, in seconds and bytes."""

TRIAL_S = 60.0

EXTREMES = (0, 1, 2, 7, 255, 256, 2**15, 2**16, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**48, 2**62, 2**63, 2**64 - 1)

KEYS = (
    "llama.context_length", "llama.embedding_length", "llama.feed_forward_length", "llama.block_count",
    "llama.attention.head_count", "llama.attention.head_count_kv", "llama.rope.dimension_count", "llama.vocab_size",
    "llama.expert_count", "llama.expert_used_count", "llama.attention.key_length", "llama.attention.value_length",
    "llama.attention.sliding_window", "llama.attention.key_length_mla", "llama.ssm.inner_size", "llama.ssm.state_size",
    "llama.ssm.conv_kernel", "llama.ssm.group_count", "llama.wkv.head_size", "llama.token_shift_count",
    "llama.shortconv.l_cache", "llama.kda.head_dim", "llama.full_attention_interval",
    "llama.attention.shared_kv_layers", "general.alignment", "general.file_type", "general.parameter_count",
    "tokenizer.ggml.padding_token_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of testing the file of one seed. `problem` is empty if the file was handled."""

    seed: int
    seconds: float
    peak_bytes: int
    problem: str = ""


def corrupt(seed: int, path: Path) -> Path:
    """Writes the file of this seed: a valid model file with changed numbers, lengths or bytes in its header."""
    draw = random.Random(seed)
    change: dict[str, object] = {}
    if draw.random() < 0.5:
        for key in draw.sample(KEYS, draw.randint(1, 3)):
            change[key] = draw.choice(EXTREMES) % 2**32
    write_llama(path, change)
    data = bytearray(path.read_bytes())
    header_end = data.index(b"blk.0.attn_norm") + N_EMBD * 40
    if not change or draw.random() < 0.3:
        for _ in range(draw.randint(1, 4)):
            _mutate(draw, data, min(header_end, len(data)))
    path.write_bytes(data)
    if draw.random() < 0.1:  # a sparse file is large enough for the header check, but uses little disk space
        with path.open("r+b") as file:
            file.truncate(draw.choice((2**30, 2**36, 2**40)))
    return path


def _mutate(draw: random.Random, data: bytearray, end: int) -> None:
    at = draw.randrange(4, end) if draw.random() < 0.7 else draw.randrange(4, 200)
    match draw.randrange(5):
        case 0:
            data[at] ^= 1 << draw.randrange(8)
        case 1:
            data[at : at + 4] = struct.pack("<I", draw.choice(EXTREMES) % 2**32)
        case 2:
            data[at : at + 8] = struct.pack("<Q", draw.choice(EXTREMES) % 2**64)
        case 3:
            del data[at : at + draw.randint(1, 64)]
        case 4:
            del data[draw.randrange(at, len(data)) :]


def judge(seed: int, folder: Path) -> Outcome:
    """Reads the header of this seed's file in this process, and estimates its memory."""
    path = corrupt(seed, folder / f"{seed}.gguf")
    tracemalloc.start()
    started, problem = time.monotonic(), ""
    try:
        _look(path)
    except (ModelFileError, EngineError) as error:
        if not str(error).isprintable():
            problem = f"unprintable: {error!r}"
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
    seconds, peak = time.monotonic() - started, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    path.unlink()
    if seconds > LONGEST_S:
        problem = problem or f"took {seconds:.1f} s"
    if peak > LARGEST_BYTES:
        problem = problem or f"took {peak >> 20} MB"
    return Outcome(seed, seconds, peak, problem)


def _look(path: Path) -> None:
    header = read_model(path)
    if not unusable_reason(header):
        estimate_fit(metadata_from_header(path, header), LoadSettings(), 8 << 30, 16 << 30, 1e10)
    check_settings(LoadSettings(), header)
    choose_context_length(header, LoadSettings(), **context_shape(header))


def trial(seed: int, folder: Path) -> Outcome:
    """Runs the load trial of this seed's file in a child process."""
    path = corrupt(seed, folder / f"{seed}.gguf")
    started, problem = time.monotonic(), ""
    try:
        LoadTrial(None).check(path, lambda: False)
    except ModelFileError:
        pass
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
    seconds = time.monotonic() - started
    path.unlink()
    if seconds > TRIAL_S:
        problem = problem or f"the trial took {seconds:.0f} s"
    return Outcome(seed, seconds, 0, problem)


def fuzz(seconds: float, seed: int, *, also_tried: bool = False) -> list[str]:
    """Tests the files of all seeds from `seed` on until the time is over. Returns a line for each file that was not
    handled.

    `also_tried`: whether the load trial of each file is run, too."""
    deadline, problems = time.monotonic() + seconds, []
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < deadline:
            outcomes = [judge(seed, Path(folder)), *([trial(seed, Path(folder))] if also_tried else [])]
            problems += [f"seed {seed}: {outcome.problem}" for outcome in outcomes if outcome.problem]
            seed += 1
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0, help="the first one")
    parser.add_argument("--trial", action="store_true", help="also try each file in a child")
    given = parser.parse_args()
    problems = fuzz(given.seconds, given.seed, also_tried=given.trial)
    sys.stdout.write("".join(f"{each}\n" for each in [*problems, f"{len(problems)} files were not held"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

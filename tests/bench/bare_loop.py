"""The limit of the machine: reads prompts and decodes greedily in C, with llama.cpp alone (`bare_loop.c`).

`python -m tests.bench.bare_loop LIBRARY` answers tasks: one line of JSON on stdin, one on stdout."""

from __future__ import annotations

import ctypes
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from engine.native.llama import C, start
from tests.bench.app_process import ROOT, environment
from tests.bench.engine_run import default_model

SOURCE = Path(__file__).with_name("bare_loop.c")
N_BATCH = 512
BEFORE = (
    "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
    "<|im_start|>user\n"
)
AFTER = "<|im_end|>\n<|im_start|>assistant\n"
"""The default model's chat template."""


@dataclass(frozen=True, slots=True)
class LoopTiming:
    """The seconds until all prompts were read, and until all tokens were decoded."""

    read_s: float
    decode_s: float
    n_tokens: int

    @property
    def tokens_per_s(self) -> float:
        """The total speed from the start to the end."""
        return self.n_tokens / (self.read_s + self.decode_s)

    @property
    def decode_tokens_per_s(self) -> float:
        """The speed from the first tokens to the last, per sequence."""
        return (self.n_tokens - 1) / self.decode_s


class BareLoop:
    """The running loop. It is a process of its own, which waits while it has no task."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, questions: Sequence[str], n_output: int, *, unified: bool) -> LoopTiming:
        """Answers the questions at the same time. What their prompts have in common is in the KV cache beforehand.

        With `unified` all sequences share one KV memory, otherwise each has its own."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        task = {"questions": list(questions), "n_output": n_output, "unified": unified}
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        read_s, decode_s = json.loads(self._process.stdout.readline())
        return LoopTiming(read_s, decode_s, len(questions) * n_output)


def no_bare_loop() -> str | None:
    """The reason why the loop cannot run; None if it can."""
    return None if shutil.which("cc") else "there is no C compiler (cc)"


@contextmanager
def bare_loop(n_ctx: int, n_sequences: int) -> Iterator[BareLoop]:
    """Compiles and runs the loop. `n_ctx` is the context length of each sequence."""
    pipe = subprocess.PIPE
    with tempfile.TemporaryDirectory() as folder:
        library = _compile(Path(folder))
        command = [sys.executable, "-m", "tests.bench.bare_loop", str(library), str(n_ctx), str(n_sequences)]
        with subprocess.Popen(command, cwd=ROOT, env=environment(), stdin=pipe, stdout=pipe, text=True) as process:
            try:
                yield BareLoop(process)
            finally:
                process.kill()


def _compile(folder: Path) -> Path:
    """Compiles the loop and links it with the llama.cpp that the engine uses."""
    library, llama = folder / "bare_loop.so", Path(C._lib._name)
    options = ["-O3", "-march=native", "-Wall", "-Werror", "-shared", "-fPIC", f"-Wl,-rpath,{llama.parent}"]
    subprocess.run(["cc", *options, str(SOURCE), str(llama), "-o", str(library)], check=True)
    return library


class _Contexts:
    """A context of each kind for one model, and the C function."""

    def __init__(self, library: Path, n_ctx: int, n_sequences: int) -> None:
        start()
        model = C.llama_model_load_from_file(str(default_model()).encode(), C.llama_model_default_params())
        self._vocab = C.llama_model_get_vocab(model)
        self._contexts = {unified: _open(model, n_ctx, n_sequences, unified=unified) for unified in (True, False)}
        self._batch = C.llama_batch_init(N_BATCH, 0, 1)
        self._run = ctypes.CDLL(str(library)).run

    def answer(self, questions: list[str], n_output: int, *, unified: bool) -> tuple[float, float]:
        context = self._contexts[unified]
        memory = C.llama_get_memory(context)
        C.llama_memory_clear(memory, True)
        prompts = [self._tokens(BEFORE + question + AFTER) for question in questions]
        n_cached = _n_common(prompts)
        copies = 1 if unified else len(prompts)
        self._call(context, [prompts[0][:n_cached]] * copies, 0, 1)
        for sequence in range(copies, len(prompts)):
            C.llama_memory_seq_cp(memory, 0, sequence, 0, n_cached)
        return self._call(context, prompts, n_cached, n_output)

    def _call(self, context: Any, prompts: list[list[int]], n_cached: int, n_output: int) -> tuple[float, float]:
        n = len(prompts)
        flat = [token for prompt in prompts for token in prompt]
        numbers = ctypes.c_int32
        seconds = (ctypes.c_double * 2)()
        error = self._run(
            ctypes.c_void_p(context), self._batch, N_BATCH, C.llama_vocab_n_tokens(self._vocab), n,
            (numbers * len(flat))(*flat), (numbers * n)(*map(len, prompts)), n_cached, n_output,
            (numbers * n)(), (numbers * n)(), seconds,
        )  # fmt: skip
        if error:
            raise RuntimeError(f"llama_decode returned {error}")
        return seconds[0], seconds[1]

    def _tokens(self, text: str) -> list[int]:
        data = text.encode()
        tokens = (C.llama_token * len(data))()
        n = C.llama_tokenize(self._vocab, data, len(data), tokens, len(data), False, True)
        return list(tokens[:n])


def _open(model: Any, n_ctx: int, n_sequences: int, *, unified: bool) -> Any:
    params = C.llama_context_default_params()
    params.n_ctx, params.n_seq_max, params.kv_unified = n_ctx * n_sequences, n_sequences, unified
    params.n_batch = params.n_ubatch = N_BATCH
    params.n_threads = params.n_threads_batch = psutil.cpu_count(logical=False) or 1
    return C.llama_init_from_model(model, params)


def _n_common(prompts: list[list[int]]) -> int:
    """The number of tokens that all prompts have in common. For a single prompt, those of the template's beginning."""
    if len(prompts) == 1:
        return min(24, len(prompts[0]) - 1)
    shortest = min(map(len, prompts)) - 1
    return next((at for at in range(shortest) if len({prompt[at] for prompt in prompts}) > 1), shortest)


def main() -> None:
    contexts = _Contexts(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    for line in sys.stdin:
        print(json.dumps(contexts.answer(**json.loads(line))), flush=True)


if __name__ == "__main__":
    main()

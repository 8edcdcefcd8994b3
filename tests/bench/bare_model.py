"""The reference for decode speeds: a minimal loop that calls llama_decode, without the engine.

`python -m tests.bench.bare_model N_THREADS N_TOKENS` loads the default model and decodes N_TOKENS tokens."""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import llama_cpp.llama_cpp as llama
import psutil

from engine.files.profile import Profile
from engine.library.default_model import find_default_model
from engine.native.llama import start

PROMPT = (
    "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
    "<|im_start|>user\nTell me a long story about the sea.<|im_end|>\n<|im_start|>assistant\n"
)


def speeds_of_best_count(rounds: list[dict[int, float]]) -> list[float]:
    """The speed in each round with one thread count: the one that was fastest over all rounds.

    `rounds` contains the speeds of each round by thread count."""
    best = max(rounds[0], key=lambda count: statistics.median(speeds[count] for speeds in rounds))
    return [speeds[best] for speeds in rounds]


class BareModel:
    """Decodes several sequences that start with the same prompt. Each call of llama_decode computes one token of each
    sequence. The next token is always the likeliest one."""

    def __init__(self, path: Path, n_ctx: int = 2048, n_sequences: int = 1) -> None:
        start()  # loads llama.cpp's backends, and turns off its log output
        self._model = llama.llama_model_load_from_file(str(path).encode(), llama.llama_model_default_params())
        assert self._model
        params = llama.llama_context_default_params()
        params.n_ctx = n_ctx
        params.n_batch = params.n_ubatch = 256
        params.n_seq_max = n_sequences
        params.kv_unified = True
        self._context = llama.llama_init_from_model(self._model, params)
        assert self._context
        self._memory = llama.llama_get_memory(self._context)
        self._vocab = llama.llama_model_get_vocab(self._model)
        self._n_sequences = n_sequences
        self._batch = llama.llama_batch_init(n_sequences, 0, 1)

    def tokens_per_s(self, n_threads: int, n_tokens: int) -> float:
        """The total decode speed of all sequences, each of which decodes `n_tokens` tokens after the prompt."""
        llama.llama_memory_clear(self._memory, True)
        llama.llama_set_n_threads(self._context, n_threads, n_threads)
        sampler = llama.llama_sampler_init_greedy()
        n, first = self._prefill(PROMPT, sampler)
        tokens = [first] * self._n_sequences
        started = time.perf_counter()
        for position in range(n, n + n_tokens):
            self._fill(tokens, position)
            assert llama.llama_decode(self._context, self._batch) == 0
            tokens = [llama.llama_sampler_sample(sampler, self._context, row) for row in range(self._n_sequences)]
        elapsed = time.perf_counter() - started
        llama.llama_sampler_free(sampler)
        return n_tokens * self._n_sequences / elapsed

    def speeds(self, n_tokens: int) -> dict[int, float]:
        """Decode speed by thread count, from 1 to the number of physical cores."""
        counts = range(1, (psutil.cpu_count(logical=False) or 1) + 1)
        return {count: self.tokens_per_s(count, n_tokens) for count in counts}

    def _prefill(self, prompt: str, sampler: object) -> tuple[int, int]:
        """Decodes the prompt once for all sequences. Returns the prompt's length in tokens, and the first generated
        token.
        """
        data = prompt.encode()
        tokens = (llama.llama_token * len(data))()
        n = llama.llama_tokenize(self._vocab, data, len(data), tokens, len(data), False, True)
        assert llama.llama_decode(self._context, llama.llama_batch_get_one(tokens, n)) == 0
        for sequence in range(1, self._n_sequences):
            llama.llama_memory_seq_cp(self._memory, 0, sequence, 0, n)
        return n, llama.llama_sampler_sample(sampler, self._context, -1)

    def _fill(self, tokens: list[int], position: int) -> None:
        batch = self._batch
        batch.n_tokens = len(tokens)
        for row, token in enumerate(tokens):
            batch.token[row], batch.pos[row], batch.logits[row] = token, position, 1
            batch.n_seq_id[row], batch.seq_id[row][0] = 1, row

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        llama.llama_batch_free(self._batch)
        llama.llama_free(self._context)
        llama.llama_model_free(self._model)


if __name__ == "__main__":
    path = find_default_model(Profile.default())
    assert path is not None
    with BareModel(path) as model:
        model.tokens_per_s(int(sys.argv[1]), int(sys.argv[2]))

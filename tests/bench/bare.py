"""What Inglenook is held against: llama.cpp in the barest loop, with nothing around it."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import llama_cpp.llama_cpp as llama
import psutil

PROMPT = (
    "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
    "<|im_start|>user\nTell me a long story about the sea.<|im_end|>\n<|im_start|>assistant\n"
)


def of_best(rounds: list[dict[int, float]]) -> list[float]:
    """The speeds of that thread count which was fastest over all rounds: no other is known beforehand."""
    best = max(rounds[0], key=lambda count: statistics.median(speeds[count] for speeds in rounds))
    return [speeds[best] for speeds in rounds]


class BareModel:
    """One sequence, one token after the other, greedy."""

    def __init__(self, path: Path, n_ctx: int = 2048) -> None:
        llama.llama_backend_init()
        self._model = llama.llama_model_load_from_file(str(path).encode(), llama.llama_model_default_params())
        assert self._model
        params = llama.llama_context_default_params()
        params.n_ctx = n_ctx
        params.n_batch = params.n_ubatch = 256
        self._context = llama.llama_init_from_model(self._model, params)
        assert self._context
        self._vocab = llama.llama_model_get_vocab(self._model)

    def tokens_per_s(self, n_threads: int, n_tokens: int) -> float:
        """Decode speed after the prompt, in an empty context."""
        llama.llama_memory_clear(llama.llama_get_memory(self._context), True)
        llama.llama_set_n_threads(self._context, n_threads, n_threads)
        sampler = llama.llama_sampler_init_greedy()
        data = PROMPT.encode()
        tokens = (llama.llama_token * len(data))()
        n = llama.llama_tokenize(self._vocab, data, len(data), tokens, len(data), False, True)
        assert llama.llama_decode(self._context, llama.llama_batch_get_one(tokens, n)) == 0
        one = (llama.llama_token * 1)(llama.llama_sampler_sample(sampler, self._context, -1))
        started = time.perf_counter()
        for _ in range(n_tokens):
            assert llama.llama_decode(self._context, llama.llama_batch_get_one(one, 1)) == 0
            one[0] = llama.llama_sampler_sample(sampler, self._context, -1)
        elapsed = time.perf_counter() - started
        llama.llama_sampler_free(sampler)
        return n_tokens / elapsed

    def speeds(self, n_tokens: int) -> dict[int, float]:
        """Decode speed by thread count, for all up to the physical cores."""
        counts = range(1, (psutil.cpu_count(logical=False) or 1) + 1)
        return {count: self.tokens_per_s(count, n_tokens) for count in counts}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        llama.llama_free(self._context)
        llama.llama_model_free(self._model)

"""A chain of llama.cpp samplers for one sequence."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from engine.native.llama import C
from engine.requests import Sampling


class NativeSampler:
    """Penalties, then top-k, top-p, min-p, temperature, then the draw: llama.cpp's usual order."""

    def __init__(self, context: int, n_vocab: int, sampling: Sampling, history: Sequence[int]) -> None:
        self._context = context
        self._chain = C.llama_sampler_chain_init(C.llama_sampler_chain_default_params())
        for link in _links(sampling, n_vocab):
            C.llama_sampler_chain_add(self._chain, link)
        if sampling.repeat_penalty != 1.0:
            for token in history[-sampling.repeat_last_n :]:
                C.llama_sampler_accept(self._chain, token)

    def sample(self, row: int) -> int:
        return int(C.llama_sampler_sample(self._chain, self._context, row))

    def close(self) -> None:
        if self._chain:
            C.llama_sampler_free(self._chain)
            self._chain = None


def _links(sampling: Sampling, n_vocab: int) -> list[object]:
    links = []
    if sampling.repeat_penalty != 1.0:
        links.append(C.llama_sampler_init_penalties(n_vocab, sampling.repeat_last_n, sampling.repeat_penalty, 0.0, 0.0))
    if sampling.temperature <= 0.0:
        return [*links, C.llama_sampler_init_greedy()]
    seed = secrets.randbits(32) if sampling.seed is None else fold_seed(sampling.seed)
    return [
        *links,
        C.llama_sampler_init_top_k(sampling.top_k),
        C.llama_sampler_init_top_p(sampling.top_p, 1),
        C.llama_sampler_init_min_p(sampling.min_p, 1),
        C.llama_sampler_init_temp(sampling.temperature),
        C.llama_sampler_init_dist(seed),
    ]


def fold_seed(seed: int) -> int:
    """Any integer → the 32 bits that llama.cpp takes; those that fit stay as they are."""
    folded = (seed ^ (seed >> 32)) & 0xFFFFFFFF if not 0 <= seed < 1 << 32 else seed
    # llama.cpp reads this one value as "draw a seed of your own".
    return 0xFFFFFFFE if folded == C.LLAMA_DEFAULT_SEED else folded

"""A chain of llama.cpp samplers for one sequence."""

from __future__ import annotations

import ctypes
import secrets
from collections.abc import Sequence

import numpy as np

from engine.native.llama import C
from engine.native.model import NativeModel
from engine.requests import Sampling

DRY_BREAKERS = (b"\n", b":", b'"', b"*")
"""Where a repetition may start anew without being punished."""


class NativeSampler:
    """Bias, penalties, what cuts off unlikely tokens, temperature, then the draw: llama.cpp's usual order."""

    def __init__(self, model: NativeModel, context: int, sampling: Sampling, history: Sequence[int]) -> None:
        self._context = context
        self._n_vocab = model.n_vocab
        biases = _biases(model, sampling)
        links = _links(model, sampling, biases)
        self._lowered = frozenset(biases)
        self._takes_best = (
            len(links) == 1 + bool(biases) and sampling.temperature <= 0.0 and max(biases.values(), default=0.0) <= 0.0
        )
        """Whether the likeliest token is the one, unless it is among the lowered."""
        self._chain = C.llama_sampler_chain_init(C.llama_sampler_chain_default_params())
        for link in links:
            C.llama_sampler_chain_add(self._chain, link)
        n_remembered = max(sampling.repeat_last_n, sampling.dry_last_n)
        if _punishes(sampling) or sampling.dry_multiplier > 0.0:
            for token in history[-n_remembered:]:
                C.llama_sampler_accept(self._chain, token)

    def sample(self, row: int) -> int:
        if self._takes_best:  # without a list of all candidates: an eighth of the time
            logits = C.llama_get_logits_ith(self._context, row)
            best = int(np.ctypeslib.as_array(logits, (self._n_vocab,)).argmax())
            if best not in self._lowered:
                return best
        return int(C.llama_sampler_sample(self._chain, self._context, row))

    def close(self) -> None:
        if self._chain:
            C.llama_sampler_free(self._chain)
            self._chain = None


def _links(model: NativeModel, sampling: Sampling, biases: dict[int, float]) -> list[object]:
    links = [*_bias(model, biases), *_penalties(model, sampling)]
    if sampling.temperature <= 0.0:
        return [*links, C.llama_sampler_init_greedy()]
    seed = secrets.randbits(32) if sampling.seed is None else fold_seed(sampling.seed)
    if sampling.mirostat:
        temperature = C.llama_sampler_init_temp(sampling.temperature)
        return [
            *links,
            temperature,
            C.llama_sampler_init_mirostat_v2(seed, sampling.mirostat_tau, sampling.mirostat_eta),
        ]
    kept = max(sampling.min_keep, 1)
    if sampling.top_n_sigma > 0.0:
        links.append(C.llama_sampler_init_top_n_sigma(sampling.top_n_sigma))
    links.append(C.llama_sampler_init_top_k(max(sampling.top_k, kept) if sampling.top_k > 0 else 0))
    if sampling.typical_p < 1.0:
        links.append(C.llama_sampler_init_typical(sampling.typical_p, kept))
    links.append(C.llama_sampler_init_top_p(sampling.top_p, kept))
    links.append(C.llama_sampler_init_min_p(sampling.min_p, kept))
    if sampling.xtc_probability > 0.0:
        links.append(C.llama_sampler_init_xtc(sampling.xtc_probability, sampling.xtc_threshold, kept, seed))
    links.append(C.llama_sampler_init_temp_ext(sampling.temperature, sampling.temperature_range, 1.0))
    return [*links, C.llama_sampler_init_dist(seed)]


def _biases(model: NativeModel, sampling: Sampling) -> dict[int, float]:
    """What is added to the logits of which tokens."""
    biases = dict(sampling.logit_bias)
    if sampling.ignore_eos:
        biases |= dict.fromkeys(model.eog_tokens, float("-inf"))
    return {token: bias for token, bias in biases.items() if 0 <= token < model.n_vocab}


def _bias(model: NativeModel, biases: dict[int, float]) -> list[object]:
    if not biases:
        return []
    array = (C.llama_logit_bias * len(biases))(*biases.items())
    return [C.llama_sampler_init_logit_bias(model.n_vocab, len(biases), array)]


def _punishes(sampling: Sampling) -> bool:
    return (sampling.repeat_penalty, sampling.frequency_penalty, sampling.presence_penalty) != (1.0, 0.0, 0.0)


def _penalties(model: NativeModel, sampling: Sampling) -> list[object]:
    links = []
    if _punishes(sampling):
        links.append(
            C.llama_sampler_init_penalties(
                model.n_vocab,
                sampling.repeat_last_n,
                sampling.repeat_penalty,
                sampling.frequency_penalty,
                sampling.presence_penalty,
            )
        )
    if sampling.dry_multiplier > 0.0:
        breakers = (ctypes.c_char_p * len(DRY_BREAKERS))(*DRY_BREAKERS)
        links.append(
            C.llama_sampler_init_dry(
                model.vocab,
                sampling.dry_multiplier,
                sampling.dry_base,
                sampling.dry_allowed_length,
                sampling.dry_last_n,
                breakers,
                len(DRY_BREAKERS),
            )
        )
    return links


def fold_seed(seed: int) -> int:
    """Any integer → the 32 bits that llama.cpp takes; those that fit stay as they are."""
    folded = (seed ^ (seed >> 32)) & 0xFFFFFFFF if not 0 <= seed < 1 << 32 else seed
    # llama.cpp reads this one value as "draw a seed of your own".
    return 0xFFFFFFFE if folded == C.LLAMA_DEFAULT_SEED else folded

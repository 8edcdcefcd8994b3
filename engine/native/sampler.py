"""The chain of llama.cpp samplers of one sequence."""

from __future__ import annotations

import ctypes
import secrets
from collections.abc import Sequence

from engine.native.context import NativeContext
from engine.native.llama import C
from engine.native.model import NativeModel
from engine.requests import Sampling

DRY_BREAKERS = (b"\n", b":", b'"', b"*")
"""The DRY penalty for repetitions starts over after a token that contains one of these characters."""


class NativeSampler:
    """Samples the tokens of one sequence. The order of the samplers is llama.cpp's default: logit bias, penalties,
    removal of unlikely tokens, temperature, selection."""

    def __init__(self, model: NativeModel, context: NativeContext, sampling: Sampling, history: Sequence[int]) -> None:
        self._context = context
        biases = _biases(model, sampling)
        samplers = _samplers(model, sampling, biases)
        self._lowered = frozenset(biases)
        self._is_greedy = (
            len(samplers) == 1 + bool(biases)
            and sampling.temperature <= 0.0
            and max(biases.values(), default=0.0) <= 0.0
        )
        """Whether sampling is greedy and no bias raises a logit. Then the token with the highest raw logit is sampled
        without the chain of samplers, unless a bias lowers the logit of this token."""
        self._chain = C.llama_sampler_chain_init(C.llama_sampler_chain_default_params())
        for sampler in samplers:
            C.llama_sampler_chain_add(self._chain, sampler)
        n_history = max(sampling.repeat_last_n, sampling.dry_last_n)
        if _has_penalties(sampling) or sampling.dry_multiplier > 0.0:
            for token in history[-n_history:]:
                C.llama_sampler_accept(self._chain, token)

    def sample(self, row: int) -> int:
        if self._is_greedy:  # this is 8 times as fast as the sampler chain, which lists all candidates
            likeliest = int(self._context.logits(row).argmax())
            if likeliest not in self._lowered:
                return likeliest
        return int(C.llama_sampler_sample(self._chain, self._context.pointer, row))

    def close(self) -> None:
        if self._chain:
            C.llama_sampler_free(self._chain)
            self._chain = None


def _samplers(model: NativeModel, sampling: Sampling, biases: dict[int, float]) -> list[object]:
    samplers = [*_bias(model, biases), *_penalties(model, sampling)]
    if sampling.temperature <= 0.0:
        return [*samplers, C.llama_sampler_init_greedy()]
    seed = secrets.randbits(32) if sampling.seed is None else fold_seed(sampling.seed)
    if sampling.mirostat:
        temperature = C.llama_sampler_init_temp(sampling.temperature)
        return [
            *samplers,
            temperature,
            C.llama_sampler_init_mirostat_v2(seed, sampling.mirostat_tau, sampling.mirostat_eta),
        ]
    min_keep = max(sampling.min_keep, 1)
    if sampling.top_n_sigma > 0.0:
        samplers.append(C.llama_sampler_init_top_n_sigma(sampling.top_n_sigma))
    samplers.append(C.llama_sampler_init_top_k(max(sampling.top_k, min_keep) if sampling.top_k > 0 else 0))
    if sampling.typical_p < 1.0:
        samplers.append(C.llama_sampler_init_typical(sampling.typical_p, min_keep))
    samplers.append(C.llama_sampler_init_top_p(sampling.top_p, min_keep))
    samplers.append(C.llama_sampler_init_min_p(sampling.min_p, min_keep))
    if sampling.xtc_probability > 0.0:
        samplers.append(C.llama_sampler_init_xtc(sampling.xtc_probability, sampling.xtc_threshold, min_keep, seed))
    samplers.append(C.llama_sampler_init_temp_ext(sampling.temperature, sampling.temperature_range, 1.0))
    return [*samplers, C.llama_sampler_init_dist(seed)]


def _biases(model: NativeModel, sampling: Sampling) -> dict[int, float]:
    """Returns the value that is added to the logit of each biased token, by token id."""
    biases = dict(sampling.logit_bias)
    if sampling.ignore_eos:
        biases |= dict.fromkeys(model.eog_tokens, float("-inf"))
    return {token: bias for token, bias in biases.items() if 0 <= token < model.n_vocab}


def _bias(model: NativeModel, biases: dict[int, float]) -> list[object]:
    if not biases:
        return []
    array = (C.llama_logit_bias * len(biases))(*biases.items())
    return [C.llama_sampler_init_logit_bias(model.n_vocab, len(biases), array)]


def _has_penalties(sampling: Sampling) -> bool:
    return (sampling.repeat_penalty, sampling.frequency_penalty, sampling.presence_penalty) != (1.0, 0.0, 0.0)


def _penalties(model: NativeModel, sampling: Sampling) -> list[object]:
    samplers = []
    if _has_penalties(sampling):
        samplers.append(
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
        samplers.append(
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
    return samplers


def fold_seed(seed: int) -> int:
    """Maps any integer to a 32-bit seed for llama.cpp. Values that fit are unchanged."""
    folded = (seed ^ (seed >> 32)) & 0xFFFFFFFF if not 0 <= seed < 1 << 32 else seed
    # llama.cpp takes LLAMA_DEFAULT_SEED as a request for a random seed
    return 0xFFFFFFFE if folded == C.LLAMA_DEFAULT_SEED else folded

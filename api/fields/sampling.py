"""Sampling parameters under the names of OpenAI's API, llama.cpp's server and vLLM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, WithJsonSchema

from api.body import INT32_MAX, Body, Finite, Fraction, int_if_integral
from api.errors import BadRequest, UnsupportedParameter
from engine.requests import Sampling

MAX_LOOK_BACK = 32768
"""Maximum number of previous tokens that repetition penalties consider. Also used for the value -1, which means all
tokens in llama.cpp."""

N_SEEDS = 2**32 - 1
"""Number of seeds: all 32-bit values except the last one, which means "random seed" in llama.cpp."""

MAX_BIASES = 65536
MAX_BIAS = 1e6

MAX_TEMPERATURE = 100
"""OpenAI's maximum is 2, but clients for local models combine higher temperatures with a high `min_p`."""

MAX_MIN_KEEP = 1024

LookBack = Annotated[int, Field(ge=-1, le=MAX_LOOK_BACK)]
Penalty = Annotated[float, Field(ge=-2, le=2, allow_inf_nan=False)]


class SamplerFields(Body):
    cache_prompt: bool | None = None
    """False: the prompt is computed without using the cache. This is no sampling parameter, but the same bodies contain
    it."""
    n_draft_max: Annotated[int | None, Field(alias="speculative.n_max", ge=0, le=INT32_MAX)] = None
    """Maximum number of draft tokens in one step; 0 turns them off. They change only the speed."""
    seed: int | None = None
    temperature: Annotated[float, Field(ge=0, le=MAX_TEMPERATURE, allow_inf_nan=False)] | None = None
    dynatemp_range: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] | None = None
    top_k: Annotated[int, Field(ge=-1, le=INT32_MAX)] | None = None
    top_p: Fraction | None = None
    min_p: Fraction | None = None
    typical_p: Fraction | None = None
    top_n_sigma: Annotated[float, Field(ge=-1, le=1000, allow_inf_nan=False)] | None = None
    xtc_probability: Fraction | None = None
    xtc_threshold: Fraction | None = None
    repeat_penalty: Annotated[float, Field(ge=0.01, le=100, allow_inf_nan=False)] | None = None
    repetition_penalty: Annotated[float, Field(ge=0.01, le=100, allow_inf_nan=False)] | None = None
    """vLLM's name for `repeat_penalty`. By default it applies to all tokens."""
    repeat_last_n: LookBack | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    dry_multiplier: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None = None
    dry_base: Annotated[float, Field(ge=1, le=100, allow_inf_nan=False)] | None = None
    dry_allowed_length: Annotated[int, Field(ge=0, le=MAX_LOOK_BACK)] | None = None
    dry_penalty_last_n: LookBack | None = None
    mirostat: Annotated[int, Field(ge=0, le=2)] | None = None
    mirostat_tau: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None = None
    mirostat_eta: Fraction | None = None
    min_keep: Annotated[int, Field(ge=0, le=MAX_MIN_KEEP)] | None = None
    samplers: str | Annotated[list[str], Field(max_length=64)] | None = None
    ignore_eos: bool | None = None
    # `logit_bias` validates the entries, because pydantic would create an error object for each invalid one.
    logit_bias: Annotated[
        object, WithJsonSchema(TypeAdapter(dict[str, Finite] | list[tuple[int | str, Finite | bool]]).json_schema())
    ] = None

    @property
    def use_cache(self) -> bool:
        """Whether cached parts of the prompt may be used."""
        return self.cache_prompt is not False


# Fields whose names and meanings are those of the engine's `Sampling`.
_SAME_NAMES = (
    "temperature",
    "top_p",
    "min_p",
    "typical_p",
    "top_n_sigma",
    "xtc_probability",
    "xtc_threshold",
    "repeat_penalty",
    "presence_penalty",
    "frequency_penalty",
    "dry_multiplier",
    "dry_base",
    "dry_allowed_length",
    "mirostat_tau",
    "mirostat_eta",
    "min_keep",
    "ignore_eos",
)

# llama.cpp's samplers, in the order in which the engine runs them. Each entry has the sampler's letter, its names, and
# the parameters that disable it. A request may list the first two samplers in either order.
_SAMPLERS: tuple[tuple[str, tuple[str, ...], Mapping[str, Any]], ...] = (
    ("e", ("penalties",), {"repeat_penalty": 1.0, "frequency_penalty": 0.0, "presence_penalty": 0.0}),
    ("d", ("dry",), {"dry_multiplier": 0.0}),
    ("s", ("top_n_sigma",), {"top_n_sigma": -1.0}),
    ("k", ("top_k",), {"top_k": 0}),
    ("y", ("typ_p", "typical_p", "typical"), {"typical_p": 1.0}),
    ("p", ("top_p",), {"top_p": 1.0}),
    ("m", ("min_p",), {"min_p": 0.0}),
    ("x", ("xtc",), {"xtc_probability": 0.0}),
    ("t", ("temperature", "temp"), {"temperature": 1.0, "temperature_range": 0.0}),
)


def sampling(fields: SamplerFields) -> Sampling:
    """Returns the engine's sampling defaults, overridden by the fields that the client set.

    Raises BadRequest, UnsupportedParameter."""
    named: dict[str, Any] = {name: getattr(fields, name) for name in _SAME_NAMES}
    named["temperature_range"] = fields.dynatemp_range
    named["top_k"] = None if fields.top_k is None else max(fields.top_k, 0)
    named["repeat_last_n"] = _look_back(fields.repeat_last_n)
    if fields.repetition_penalty is not None:
        if fields.repeat_penalty is not None:
            raise BadRequest("'repetition_penalty' is another name for 'repeat_penalty'.", "repetition_penalty")
        named["repeat_penalty"] = fields.repetition_penalty
        named["repeat_last_n"] = named["repeat_last_n"] or MAX_LOOK_BACK
    named["dry_last_n"] = _look_back(fields.dry_penalty_last_n)
    named["seed"] = None if fields.seed is None else fields.seed % N_SEEDS
    if fields.mirostat == 1:
        raise UnsupportedParameter("mirostat", "'mirostat' 1 is not supported; 2 is.")
    named["mirostat"] = fields.mirostat == 2
    named["logit_bias"] = logit_bias(fields.logit_bias)
    if fields.samplers is not None:
        named |= _disabled_samplers(fields.samplers)
    return replace(Sampling(), **{name: value for name, value in named.items() if value is not None})


def _disabled_samplers(samplers: str | list[str]) -> dict[str, Any]:
    """Returns parameters that disable all samplers not in `samplers`, a list of names or a string of letters.

    Raises UnsupportedParameter for an unknown sampler, and for an order that differs from the engine's."""
    positions = []
    for given in samplers:
        position = next(
            (i for i, (letter, names, _) in enumerate(_SAMPLERS) if given == letter or given in names), None
        )
        if position is None:
            raise UnsupportedParameter("samplers", f"The sampler '{given[:40]}' is not supported.")
        positions.append(position)
    order = [max(position, 1) for position in positions]
    if order != sorted(order) or len(set(positions)) < len(positions):
        raise UnsupportedParameter(
            "samplers", "The samplers run in llama.cpp's usual order; another order is not supported."
        )
    disabled: dict[str, Any] = {}
    for i, (_, _, neutral) in enumerate(_SAMPLERS):
        if i not in positions:
            disabled |= neutral
    return disabled


def sampling_for_choice(sampling: Sampling, index: int) -> Sampling:
    """Returns the sampling for the choice at `index`. Each choice has its own seed, so that choices differ and are
    reproducible."""
    return sampling if sampling.seed is None or not index else replace(sampling, seed=(sampling.seed + index) % N_SEEDS)


def logit_bias(given: object) -> tuple[tuple[int, float], ...]:
    """Parses `logit_bias`: OpenAI's object, or llama.cpp's list of pairs. In a pair, the value false bans the token.
    Raises BadRequest."""
    if given is None:
        return ()
    if not isinstance(given, dict | list):
        raise BadRequest("'logit_bias' must be an object, or a list of pairs.", "logit_bias")
    if len(given) > MAX_BIASES:
        raise BadRequest(f"'logit_bias' has more than {MAX_BIASES} entries.", "logit_bias")
    return tuple(map(_bias, given.items() if isinstance(given, dict) else given))


def _bias(pair: object) -> tuple[int, float]:
    match pair:
        case (int() | float() | str() as token, int() | float() as bias) if not isinstance(token, bool):
            number = _token_number(token)
            if 0 <= number <= INT32_MAX and bias is not True and abs(bias) <= MAX_BIAS:
                return number, float("-inf") if bias is False else float(bias)
    raise BadRequest("'logit_bias' must hold token numbers with a number, or false, for each.", "logit_bias")


def _token_number(token: float | str) -> int:
    try:
        return int(str(int_if_integral(token)))
    except ValueError:
        raise BadRequest("'logit_bias' names tokens by their numbers.", "logit_bias") from None


def _look_back(n: int | None) -> int | None:
    return MAX_LOOK_BACK if n == -1 else n

"""How a client says in what way tokens are chosen: by OpenAI's names, and by llama.cpp's for local models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, WithJsonSchema

from api.body import INT32_MAX, Body, Finite, Fraction, whole
from api.errors import BadRequest, UnsupportedParameter
from engine.requests import Sampling

MAX_REMEMBERED = 32768
"""Tokens that penalties look back at; llama.cpp writes -1 for all."""

# One less than 32 bits hold: llama.cpp takes the last value for "no seed".
SEEDS = 2**32 - 1

MAX_BIASES = 65536
MAX_BIAS = 1e6

MAX_TEMPERATURE = 100
"""OpenAI's own limit is 2; tools for local models go higher, together with a strict `min_p`."""

MAX_KEPT = 1024

LookBack = Annotated[int, Field(ge=-1, le=MAX_REMEMBERED)]
Penalty = Annotated[float, Field(ge=-2, le=2, allow_inf_nan=False)]


class SamplerFields(Body):
    cache_prompt: bool | None = None
    """Not of the sampler, but of the same bodies. False: the whole prompt is computed anew."""
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
    """vLLM's name for `repeat_penalty`, which looks back at all tokens."""
    repeat_last_n: LookBack | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    dry_multiplier: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None = None
    dry_base: Annotated[float, Field(ge=1, le=100, allow_inf_nan=False)] | None = None
    dry_allowed_length: Annotated[int, Field(ge=0, le=MAX_REMEMBERED)] | None = None
    dry_penalty_last_n: LookBack | None = None
    mirostat: Annotated[int, Field(ge=0, le=2)] | None = None
    mirostat_tau: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None = None
    mirostat_eta: Fraction | None = None
    min_keep: Annotated[int, Field(ge=0, le=MAX_KEPT)] | None = None
    samplers: str | Annotated[list[str], Field(max_length=64)] | None = None
    ignore_eos: bool | None = None
    # Checked entry by entry in `logit_bias`: pydantic would make an error of each wrong one.
    logit_bias: Annotated[
        object, WithJsonSchema(TypeAdapter(dict[str, Finite] | list[tuple[int | str, Finite | bool]]).json_schema())
    ] = None

    @property
    def use_cache(self) -> bool:
        """Whether what was read of the prompt before may be used again."""
        return self.cache_prompt is not False


# Whose name and meaning are the engine's.
_SAME = (
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

# llama.cpp's samplers by their letter and by their names, in the order in which the engine runs them, each with what
# switches it off. The first two can stand in either order.
_ORDER: tuple[tuple[str, tuple[str, ...], Mapping[str, Any]], ...] = (
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
    """The engine's defaults, changed by what the client names. Raises BadRequest, UnsupportedParameter."""
    named: dict[str, Any] = {name: getattr(fields, name) for name in _SAME}
    named["temperature_range"] = fields.dynatemp_range
    named["top_k"] = None if fields.top_k is None else max(fields.top_k, 0)
    named["repeat_last_n"] = _look_back(fields.repeat_last_n)
    if fields.repetition_penalty is not None:
        if fields.repeat_penalty is not None:
            raise BadRequest("'repetition_penalty' is another name for 'repeat_penalty'.", "repetition_penalty")
        named["repeat_penalty"] = fields.repetition_penalty
        named["repeat_last_n"] = named["repeat_last_n"] or MAX_REMEMBERED
    named["dry_last_n"] = _look_back(fields.dry_penalty_last_n)
    named["seed"] = None if fields.seed is None else fields.seed % SEEDS
    if fields.mirostat == 1:
        raise UnsupportedParameter("mirostat", "'mirostat' 1 is not supported; 2 is.")
    named["mirostat"] = fields.mirostat == 2
    named["logit_bias"] = logit_bias(fields.logit_bias)
    if fields.samplers is not None:
        named |= _switched_off(fields.samplers)
    return replace(Sampling(), **{name: value for name, value in named.items() if value is not None})


def _switched_off(samplers: str | list[str]) -> dict[str, Any]:
    """What switches off the samplers that are not listed. Raises UnsupportedParameter for an order that is not the
    engine's."""
    places = []
    for given in samplers:
        place = next((at for at, (letter, names, _) in enumerate(_ORDER) if given == letter or given in names), None)
        if place is None:
            raise UnsupportedParameter("samplers", f"The sampler '{given[:40]}' is not supported.")
        places.append(place)
    order = [max(place, 1) for place in places]
    if order != sorted(order) or len(set(places)) < len(places):
        raise UnsupportedParameter(
            "samplers", "The samplers run in llama.cpp's usual order; another order is not supported."
        )
    off: dict[str, Any] = {}
    for at, (_, _, neutral) in enumerate(_ORDER):
        if at not in places:
            off |= neutral
    return off


def for_choice(chosen: Sampling, place: int) -> Sampling:
    """The sampling of one of several choices of an answer: its own seed, so that they differ and can be had again."""
    return chosen if chosen.seed is None or not place else replace(chosen, seed=(chosen.seed + place) % SEEDS)


def logit_bias(given: object) -> tuple[tuple[int, float], ...]:
    """From OpenAI's map, or llama.cpp's list of pairs, where false bans a token. Raises BadRequest."""
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
        return int(str(whole(token)))
    except ValueError:
        raise BadRequest("'logit_bias' names tokens by their numbers.", "logit_bias") from None


def _look_back(n: int | None) -> int | None:
    return MAX_REMEMBERED if n == -1 else n

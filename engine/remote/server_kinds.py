"""What each kind of server supports, and the names of its request fields.

llama.cpp's and Inglenook's servers were tested. The facts about vLLM, SGLang, Ollama and LM Studio come from their
documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.chat_engine import Capabilities, ConstraintKind
from engine.remote.connection import ServerKind

_JSON: frozenset[ConstraintKind] = frozenset(("json_object", "json_schema"))
_GUIDED: frozenset[ConstraintKind] = frozenset((*_JSON, "regex", "choice", "gbnf"))

CAPABILITIES: Mapping[ServerKind, Capabilities] = {
    "inglenook": Capabilities(
        completions=True,
        answer_start=True,
        logprobs=True,
        tools=True,
        reasoning=True,
        embeddings=True,
        constraints=frozenset((*_GUIDED, "lark")),
        counts_tokens=True,
        reuses_prefixes=True,
    ),
    "llama.cpp": Capabilities(
        completions=True,
        answer_start=True,
        logprobs=True,
        tools=True,
        reasoning=True,
        constraints=frozenset((*_JSON, "choice", "gbnf")),
        counts_tokens=True,
        reuses_prefixes=True,
    ),
    "vllm": Capabilities(
        completions=True,
        answer_start=True,
        logprobs=True,
        tools=True,
        reasoning=True,
        constraints=_GUIDED,
        counts_tokens=True,
        reuses_prefixes=True,
    ),
    "sglang": Capabilities(
        completions=True,
        answer_start=True,
        logprobs=True,
        tools=True,
        reasoning=True,
        constraints=_GUIDED,
        reuses_prefixes=True,
    ),
    "ollama": Capabilities(tools=True, reasoning=True, constraints=_JSON, reuses_prefixes=True),
    "lmstudio": Capabilities(completions=True, tools=True, constraints=_JSON, reuses_prefixes=True),
    "openai": Capabilities(completions=True, logprobs=True, tools=True, constraints=_JSON),
}
"""What a chat model on such a server supports, as far as the kind of server decides it. Discovery refines it by model.
Ollama's completions are missing because it applies the chat template to them."""


@dataclass(frozen=True, slots=True)
class SamplingFields:
    """The names of the fields of `Sampling` in a request, besides OpenAI's. Fields without a name are not sent."""

    names: Mapping[str, str]
    no_top_k: int = 0
    """The value of top-k that turns it off."""


_LLAMA_NAMES = {
    name: name
    for name in (
        *("top_k", "min_p", "typical_p", "top_n_sigma", "xtc_probability", "xtc_threshold"),
        *("repeat_penalty", "repeat_last_n", "dry_multiplier", "dry_base", "dry_allowed_length"),
        *("mirostat_tau", "mirostat_eta", "min_keep", "ignore_eos"),
    )
} | {"temperature_range": "dynatemp_range", "dry_last_n": "dry_penalty_last_n"}

_VLLM_NAMES = {
    "top_k": "top_k",
    "min_p": "min_p",
    "repeat_penalty": "repetition_penalty",
    "ignore_eos": "ignore_eos",
}

SAMPLING_FIELDS: Mapping[ServerKind, SamplingFields] = {
    "inglenook": SamplingFields(_LLAMA_NAMES),
    "llama.cpp": SamplingFields(_LLAMA_NAMES),
    "vllm": SamplingFields(_VLLM_NAMES, no_top_k=-1),
    "sglang": SamplingFields(_VLLM_NAMES, no_top_k=-1),
    "ollama": SamplingFields({}),
    "lmstudio": SamplingFields({"top_k": "top_k", "repeat_penalty": "repeat_penalty"}),
    "openai": SamplingFields({}),
}

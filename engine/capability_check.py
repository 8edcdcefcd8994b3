"""Finds what a request needs and its engine does not support. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.chat_engine import Capabilities, ConstraintKind
from engine.errors import Unsupported
from engine.requests import ChatRequest, CompletionRequest, Request

CONSTRAINTS: Mapping[ConstraintKind, str] = {
    "json_object": "answers in JSON",
    "json_schema": "JSON schemas",
    "regex": "regular expressions as constraints",
    "choice": "answers from a list",
    "lark": "grammars",
    "gbnf": "grammars",
}

FEATURES = (
    "embeddings",
    "reranking",
    "completions without a chat template",
    "prompts as token ids",
    "continuing an answer",
    "tools",
    "reasoning",
    "log probabilities",
    "log probabilities of the prompt",
    "logit bias",
    "LoRA adapters",
    *dict.fromkeys(CONSTRAINTS.values()),
)
"""Every feature that `Unsupported` can name here."""


def check_capabilities(request: Request, capabilities: Capabilities) -> None:
    """Raises Unsupported for the first thing that the request needs and the engine does not support. Hints that change
    only the speed of an answer are not checked."""
    for feature in _missing(request, capabilities):
        raise Unsupported(feature)


def _missing(request: Request, capabilities: Capabilities) -> Iterator[str]:
    if isinstance(request, ChatRequest):
        yield from _missing_for_chat(request, capabilities)
    else:
        yield from _missing_for_completion(request, capabilities)
    if request.n_logprobs is not None and not capabilities.logprobs:
        yield "log probabilities"
    if request.prompt_logprobs and not capabilities.prompt_logprobs:
        yield "log probabilities of the prompt"
    if request.sampling.logit_bias and not capabilities.token_ids:
        yield "logit bias"
    if request.adapter_scales is not None and not capabilities.adapters:
        yield "LoRA adapters"
    if request.constraint is not None and request.constraint.kind not in capabilities.constraints:
        yield CONSTRAINTS[request.constraint.kind]


def _missing_for_chat(request: ChatRequest, capabilities: Capabilities) -> Iterator[str]:
    if request.answer_start and not capabilities.answer_start:
        yield "continuing an answer"
    if request.tools and request.tool_choice != "none" and not capabilities.tools:
        yield "tools"
    if (request.thinking or request.effort not in (None, "minimal")) and not capabilities.reasoning:
        yield "reasoning"


def _missing_for_completion(request: CompletionRequest, capabilities: Capabilities) -> Iterator[str]:
    if not capabilities.completions:
        yield "completions without a chat template"
    if not isinstance(request.prompt, str) and not capabilities.token_ids:
        yield "prompts as token ids"

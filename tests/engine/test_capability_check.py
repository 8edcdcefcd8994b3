"""A request is refused for what its engine does not support, and for nothing else."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from engine.capability_check import FEATURES, check_capabilities
from engine.chat_engine import LOCAL_CAPABILITIES, Capabilities
from engine.errors import Unsupported
from engine.requests import ChatRequest, CompletionRequest, Constraint, Message, Request, Sampling, Tool

CHAT = ChatRequest((Message("user", "Hi"),), "window")
NEEDS: dict[str, Request] = {
    "continuing an answer": replace(CHAT, answer_start="So"),
    "tools": replace(CHAT, tools=(Tool("f"),)),
    "reasoning": replace(CHAT, thinking=True),
    "log probabilities": replace(CHAT, n_logprobs=0),
    "log probabilities of the prompt": replace(CHAT, prompt_logprobs=True),
    "logit bias": replace(CHAT, sampling=Sampling(logit_bias=((1, 1.0),))),
    "LoRA adapters": replace(CHAT, adapter_scales=(1.0,)),
    "answers in JSON": replace(CHAT, constraint=Constraint("json_object")),
    "JSON schemas": replace(CHAT, constraint=Constraint("json_schema", "{}")),
    "regular expressions as constraints": replace(CHAT, constraint=Constraint("regex", "a")),
    "answers from a list": replace(CHAT, constraint=Constraint("choice", "[]")),
    "grammars": replace(CHAT, constraint=Constraint("gbnf", "root ::= x")),
    "completions without a chat template": CompletionRequest("a", "endpoint"),
}


@pytest.mark.parametrize("feature", NEEDS)
def test_missing_capability_is_named(feature: str) -> None:
    check_capabilities(NEEDS[feature], LOCAL_CAPABILITIES)
    with pytest.raises(Unsupported) as refused:
        check_capabilities(NEEDS[feature], Capabilities())
    assert refused.value.feature == feature
    assert feature in FEATURES


def test_token_ids_as_prompt_are_named() -> None:
    with pytest.raises(Unsupported, match="prompts as token ids"):
        check_capabilities(CompletionRequest((1, 2), "endpoint"), Capabilities(completions=True))


def test_plain_request_and_hints_need_nothing() -> None:
    hints = replace(CHAT, thinking=False, effort="minimal", wants_progress=True, use_cache=False, n_draft_max=0)
    check_capabilities(hints, Capabilities())
    check_capabilities(replace(CHAT, tools=(Tool("f"),), tool_choice="none"), Capabilities())


def test_each_capability_of_a_request_is_checked() -> None:
    """A capability that is added must be checked here, or be one that no request needs."""
    needed_by_no_request = {"images", "counts_tokens", "reuses_prefixes", "embeddings"}
    granted = Capabilities()
    for request in NEEDS.values():
        for field in fields(Capabilities):
            all_but_one = replace(LOCAL_CAPABILITIES, **{field.name: getattr(granted, field.name)})
            try:
                check_capabilities(request, all_but_one)
            except Unsupported:
                needed_by_no_request.add(field.name)
    assert {field.name for field in fields(Capabilities)} - needed_by_no_request == {"token_ids"} - needed_by_no_request

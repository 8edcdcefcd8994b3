"""`cache_prompt: false` on every endpoint of llama.cpp's and OpenAI's dialects that takes a prompt."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.live import Live

RULES = "Put the item on its shelf. " * 12

BODIES: list[tuple[str, dict[str, object]]] = [
    ("/v1/chat/completions", {"messages": [{"role": "user", "content": RULES}], "max_tokens": 3}),
    ("/v1/completions", {"prompt": RULES, "max_tokens": 3}),
    ("/completion", {"prompt": RULES, "n_predict": 3}),
    ("/infill", {"input_prefix": RULES, "input_suffix": "\nEnd.", "n_predict": 3}),
]


def n_cached(found: dict[str, Any]) -> int:
    usage = found.get("usage")
    return int(found["tokens_cached"] if usage is None else usage["prompt_tokens_details"]["cached_tokens"])


@pytest.mark.parametrize(("path", "body"), BODIES, ids=[path for path, _ in BODIES])
def test_declined_cache_reads_the_whole_prompt(endpoint: Live, path: str, body: dict[str, object]) -> None:
    endpoint.post(body, path)
    assert n_cached(endpoint.post(body, path).json()) > 100
    assert n_cached(endpoint.post({**body, "cache_prompt": False}, path).json()) == 0
    assert n_cached(endpoint.post({**body, "cache_prompt": True}, path).json()) > 100

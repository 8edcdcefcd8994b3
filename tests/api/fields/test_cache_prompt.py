"""With `cache_prompt: false`, every route that takes a prompt computes the whole prompt."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.live_endpoint import Live

RULES = "Put the item on its keep_alive. " * 12

BODIES: list[tuple[str, dict[str, object]]] = [
    ("/v1/chat/completions", {"messages": [{"role": "user", "content": RULES}], "max_tokens": 3}),
    ("/v1/completions", {"prompt": RULES, "max_tokens": 3}),
    ("/completion", {"prompt": RULES, "n_predict": 3}),
    ("/infill", {"input_prefix": RULES, "input_suffix": "\nEnd.", "n_predict": 3}),
    ("/v1/responses", {"input": RULES, "max_output_tokens": 3}),
    ("/v1/messages", {"messages": [{"role": "user", "content": RULES}], "max_tokens": 3}),
]

OLLAMA_BODIES: list[tuple[str, dict[str, object]]] = [
    ("/api/chat", {"messages": [{"role": "user", "content": RULES}], "stream": False}),
    ("/api/generate", {"prompt": RULES, "stream": False}),
    ("/api/generate", {"prompt": RULES, "stream": False, "raw": True}),
]


def n_cached(found: dict[str, Any]) -> int:
    match found:
        case {"tokens_cached": int(n)}:
            return n
        case {"usage": {"cache_read_input_tokens": int(n)}}:
            return n
        case {"usage": {"prompt_tokens_details": {"cached_tokens": int(n)}}}:
            return n
        case {"usage": {"input_tokens_details": {"cached_tokens": int(n)}}}:
            return n
    raise AssertionError(found)


@pytest.mark.parametrize(("path", "body"), BODIES, ids=[path for path, _ in BODIES])
def test_cache_prompt_false_computes_whole_prompt(endpoint: Live, path: str, body: dict[str, object]) -> None:
    endpoint.post(body, path)
    assert n_cached(endpoint.post(body, path).json()) > 100
    assert n_cached(endpoint.post({**body, "cache_prompt": False}, path).json()) == 0
    assert n_cached(endpoint.post({**body, "cache_prompt": True}, path).json()) > 100


@pytest.mark.parametrize(("path", "body"), OLLAMA_BODIES)
def test_cache_prompt_false_in_ollama_options_computes_whole_prompt(
    endpoint: Live, path: str, body: dict[str, object]
) -> None:
    """Reads the number of cached tokens from /v1/activity, since Ollama's answers do not contain it."""
    for declined in (False, True):
        for _ in range(2):
            options = {"num_predict": 3, "cache_prompt": not declined}
            assert endpoint.post({**body, "options": options}, path).status_code == 200
        with endpoint.http() as client:
            last = client.get("/v1/activity").json()["data"][0]
        assert (last["n_cached"] == 0) == declined

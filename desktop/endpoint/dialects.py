"""The API dialects of the endpoint, with the routes that the endpoint page lists. Imports nothing of the API, which is
loaded only when the endpoint starts."""

from __future__ import annotations

DIALECTS: dict[str, tuple[str, ...]] = {
    "OpenAI": ("/v1/models", "/v1/chat/completions", "/v1/completions", "/v1/embeddings"),
    "Responses": ("/v1/responses",),
    "Anthropic": ("/v1/messages", "/v1/messages/count_tokens"),
    "Ollama": ("/api/chat", "/api/generate", "/api/embed", "/api/tags", "/api/show", "/api/ps", "/api/version"),
    "llama.cpp": (
        "/completion",
        "/infill",
        "/tokenize",
        "/detokenize",
        "/apply-template",
        "/lora-adapters",
        "/props",
        "/slots",
        "/metrics",
        "/health",
    ),
}

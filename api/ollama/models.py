"""The loaded model, as Ollama's lists describe it. Where its file lies is nobody's business."""

from __future__ import annotations

import hashlib

from api.ollama.answer import timestamp
from engine.events import Embeddings
from engine.status import ModelInfo, ModelProps

VERSION = "0.13.0"
"""Of the Ollama whose words are spoken here: tools look whether it is new enough for what they want."""

NEVER = "2318-01-01T00:00:00Z"
"""The model stays loaded."""


def bare_name(name: str | None) -> str | None:
    """Without the tag that clients add."""
    return None if name is None else name.removesuffix(":latest")


def listed(model: ModelInfo) -> dict[str, object]:
    return {
        "name": model.id,
        "model": model.id,
        "modified_at": timestamp(model.loaded_at),
        "size": model.size_bytes,
        "digest": hashlib.sha256(f"{model.id} {model.size_bytes}".encode()).hexdigest(),
        "details": _details(),
    }


def running(model: ModelInfo, expires_at: float | None) -> dict[str, object]:
    """`expires_at`: Unix time, None for a model that stays."""
    until = NEVER if expires_at is None else timestamp(expires_at)
    return {**listed(model), "expires_at": until, "size_vram": 0, "context_length": model.n_ctx}


def shown(model: ModelInfo, card: ModelProps) -> dict[str, object]:
    return {
        "modelfile": "",
        "parameters": "",
        "template": card.chat_template,
        "details": _details(),
        # Tools read the architecture, then how much that reads at once.
        "model_info": {
            "general.architecture": "gguf",
            "general.basename": model.name,
            "gguf.context_length": model.n_ctx,
        },
        "capabilities": capabilities(card),
        "modified_at": timestamp(model.loaded_at),
    }


def capabilities(card: ModelProps) -> list[str]:
    found = ["completion", "tools"]
    if card.supports_fim:
        found.append("insert")
    if "enable_thinking" in card.chat_template or "<think>" in card.chat_template:
        found.append("thinking")
    return found


def _details() -> dict[str, object]:
    return {
        "parent_model": "",
        "format": "gguf",
        "family": "",
        "families": None,
        "parameter_size": "",
        "quantization_level": "",
    }


def embedded(model: str, found: Embeddings, spent_s: float) -> dict[str, object]:
    return {
        "model": model,
        "embeddings": [list(vector) for vector in found.vectors],
        "total_duration": round(spent_s * 1e9),
        "load_duration": 0,
        "prompt_eval_count": found.n_prompt,
    }

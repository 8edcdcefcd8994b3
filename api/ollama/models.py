"""The loaded model in Ollama's formats. No answer contains the path of its file."""

from __future__ import annotations

import hashlib

from api.ollama.answer import timestamp
from engine.events import Embeddings
from engine.status import ModelInfo, ModelProps

VERSION = "0.13.0"
"""The version of Ollama whose API this server implements. Clients check it before they use newer features."""

NEVER = "2318-01-01T00:00:00Z"
"""`expires_at` of a model that is never unloaded."""


def bare_name(name: str | None) -> str | None:
    """Removes the tag `:latest`, which clients append to the model's name."""
    return None if name is None else name.removesuffix(":latest")


def list_entry(model: ModelInfo) -> dict[str, object]:
    return {
        "name": model.id,
        "model": model.id,
        "modified_at": timestamp(model.loaded_at),
        "size": model.size_bytes,
        "digest": hashlib.sha256(f"{model.id} {model.size_bytes}".encode()).hexdigest(),
        "details": _details(),
    }


def running_entry(model: ModelInfo, expires_at: float | None) -> dict[str, object]:
    """Returns the entry for /api/ps. `expires_at`: Unix time, or None for a model that stays loaded."""
    until = NEVER if expires_at is None else timestamp(expires_at)
    return {**list_entry(model), "expires_at": until, "size_vram": 0, "context_length": model.n_ctx}


def details_object(model: ModelInfo, props: ModelProps) -> dict[str, object]:
    return {
        "modelfile": "",
        "parameters": "",
        "template": props.chat_template,
        "details": _details(),
        # Clients read the architecture's name, and then the context length from the field that begins with this name.
        "model_info": {
            "general.architecture": "gguf",
            "general.basename": model.name,
            "gguf.context_length": model.n_ctx,
        },
        "capabilities": capabilities(props),
        "modified_at": timestamp(model.loaded_at),
    }


def capabilities(props: ModelProps) -> list[str]:
    found = ["completion", "tools"]
    if props.supports_fim:
        found.append("insert")
    if "enable_thinking" in props.chat_template or "<think>" in props.chat_template:
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


def embeddings_object(model: str, embeddings: Embeddings, duration_s: float) -> dict[str, object]:
    return {
        "model": model,
        "embeddings": [list(vector) for vector in embeddings.vectors],
        "total_duration": round(duration_s * 1e9),
        "load_duration": 0,
        "prompt_eval_count": embeddings.n_prompt,
    }

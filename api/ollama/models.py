"""The loaded model in Ollama's formats. No answer contains the path of its file."""

from __future__ import annotations

import hashlib

from api.ollama.answer import timestamp
from engine.chat_engine import Capabilities, ChatModel
from engine.events import Embeddings
from engine.status import ModelInfo, ModelProps

VERSION = "0.13.0"
"""The version of Ollama whose API this server implements. Clients check it before they use newer features."""

NEVER = "2318-01-01T00:00:00Z"
"""`expires_at` of a model that is never unloaded."""


def bare_name(name: str | None) -> str | None:
    """Removes the tag `:latest`, which clients append to the model's name."""
    return None if name is None else name.removesuffix(":latest")


def list_entry(model: ChatModel) -> dict[str, object]:
    """Returns the entry for /api/tags. The size of a model on another machine is not known, and given as 0."""
    size_bytes = model.size_bytes if isinstance(model, ModelInfo) else 0
    return {
        "name": model.id,
        "model": model.id,
        "modified_at": timestamp(model.loaded_at),
        "size": size_bytes,
        "digest": hashlib.sha256(f"{model.id} {size_bytes}".encode()).hexdigest(),
        "details": _details(),
        **({"remote_model": model.id, "remote_host": model.host} if model.host else {}),
    }


def running_entry(model: ChatModel, expires_at: float | None) -> dict[str, object]:
    """Returns the entry for /api/ps. `expires_at`: Unix time, or None for a model that stays loaded."""
    until = NEVER if expires_at is None else timestamp(expires_at)
    return {**list_entry(model), "expires_at": until, "size_vram": 0, "context_length": model.n_ctx}


def details_object(model: ChatModel, props: ModelProps, supported: Capabilities) -> dict[str, object]:
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
        "capabilities": capabilities(model, props, supported),
        "modified_at": timestamp(model.loaded_at),
    }


def capabilities(model: ChatModel, props: ModelProps, supported: Capabilities) -> list[str]:
    found = ["completion"]
    if supported.tools:
        found.append("tools")
    if props.supports_fim:
        found.append("insert")
    if supported.images:
        found.append("vision")
    # The local engine supports reasoning, but not every model that it runs does.
    in_template = "enable_thinking" in props.chat_template or "<think>" in props.chat_template
    if supported.reasoning and (in_template or not isinstance(model, ModelInfo)):
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

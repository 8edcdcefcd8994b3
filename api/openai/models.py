"""The list of models, as OpenAI and as Anthropic write it. Where the file lies is nobody's business."""

from __future__ import annotations

from datetime import UTC, datetime

from engine.status import EmbedderInfo, ModelInfo


def model_object(model: ModelInfo) -> dict[str, object]:
    """Its id is the file's name alone."""
    return {
        "id": model.id,
        "object": "model",
        "created": int(model.loaded_at),
        "owned_by": "inglenook",
        "meta": {"n_ctx": model.n_ctx, "n_ctx_train": model.n_ctx_train, "size": model.size_bytes},
    }


def embedder_object(model: EmbedderInfo, loaded_at: float) -> dict[str, object]:
    return {
        "id": model.id,
        "object": "model",
        "created": int(loaded_at),
        "owned_by": "inglenook",
        "meta": {"n_ctx": model.n_ctx, "n_embd": model.n_dimensions, "size": model.size_bytes},
    }


def anthropic_model(model: ModelInfo) -> dict[str, object]:
    created_at = datetime.fromtimestamp(int(model.loaded_at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"type": "model", "id": model.id, "display_name": model.name, "created_at": created_at}


def anthropic_list(models: list[ModelInfo]) -> dict[str, object]:
    return {
        "data": [anthropic_model(model) for model in models],
        "has_more": False,
        "first_id": models[0].id if models else None,
        "last_id": models[-1].id if models else None,
    }

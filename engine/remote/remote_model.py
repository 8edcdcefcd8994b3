"""A model on another server."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.chat_engine import Capabilities
from engine.remote.connection import ServerKind


def shown_name(model_id: str) -> str:
    """The name of a model for people. A llama-server without an alias names its model by the path of the file."""
    is_file = model_id.lower().endswith(".gguf")
    return re.split(r"[/\\]", model_id)[-1][: -len(".gguf")] or model_id if is_file else model_id


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteModel:
    """See `engine.chat_engine.ChatModel`. All texts come from the server, so they are untrusted."""

    id: str
    """Its name on the server."""
    name: str
    n_ctx: int = 0
    """Context length in tokens; 0 if the server does not tell it."""
    loaded_at: float = 0.0
    """Unix time at which it was found."""
    host: str
    connection_id: str
    kind: ServerKind
    capabilities: Capabilities
    is_embedder: bool = False
    """Whether it computes embeddings only."""
    is_loaded: bool | None = None
    """Whether it is in the server's memory; None if the server does not tell it. Others are loaded by a request."""

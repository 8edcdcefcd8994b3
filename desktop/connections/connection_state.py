"""What the window knows of a connection. Qt-free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.errors import EngineError
from engine.remote.connection import Connection
from engine.remote.connection_keys import KeyPlace
from engine.remote.discovery import FoundServer
from engine.remote.remote_model import RemoteModel


@dataclass(frozen=True, slots=True)
class ConnectionState:
    connection: Connection
    stage: Literal["unknown", "asking", "reachable", "failed"] = "unknown"
    """unknown: the server was not asked for its models since the start."""
    found: FoundServer | None = None
    """What the server answered last, also if it cannot be reached any more."""
    error: EngineError | None = None
    """Why the server cannot be used, in the stage "failed"."""
    key_place: KeyPlace | None = None
    """Where the key is stored; None if that was not looked up yet."""

    @property
    def models(self) -> tuple[RemoteModel, ...]:
        """The models that can answer in a chat."""
        return tuple(model for model in self.found.models if not model.is_embedder) if self.found is not None else ()

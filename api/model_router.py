"""Finds the model that a request names: that of the endpoint, a file that is loaded when it is needed, or a model on
another server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, cast

from engine.chat_engine import Capabilities, ChatEngine, ChatModel
from engine.remote.remote_model import RemoteModel

ModelState = Literal["loaded", "unloaded", "loading", "failed"]
"""As llama.cpp's server with several models tells it. A model that is not loaded is loaded by the next request."""


class Retention(Protocol):
    """Decides how long a model stays in memory. `api.keep_alive.KeepAlive` does for the model of the endpoint."""

    @property
    def can_unload(self) -> bool: ...

    @property
    def expires_at(self) -> float | None:
        """Unix time at which the model will be unloaded if nobody uses it before; None if it will stay loaded."""

    def unload_after(self, idle_s: float) -> None: ...

    async def release(self) -> None:
        """Unloads the model as soon as nobody but the caller uses it."""

    async def ensure_loaded(self) -> None: ...


class ModelSource(Retention, Protocol):
    """A model besides that of the endpoint. Used on the endpoint's event loop only."""

    @property
    def place(self) -> str:
        """Name of the connection; empty for a model in this process."""

    @property
    def state(self) -> ModelState: ...

    @property
    def model(self) -> ChatModel:
        """What is known about it, also while it is not loaded."""

    @property
    def capabilities(self) -> Capabilities: ...

    def lease(self) -> AbstractAsyncContextManager[ChatEngine]:
        """Loads the model if necessary, and keeps it loaded. Raises NotLoaded if that takes too long, and the
        exceptions of `Engine.load`."""


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model in the listings. `model.id` is the name by which requests reach it."""

    model: ChatModel
    state: ModelState
    capabilities: Capabilities
    expires_at: float | None = None
    is_embedder: bool = False


class ModelRouter:
    """The models besides that of the endpoint, by name. A model of a connection can always be named `id@connection`,
    and by its id unless another model has it. Used on the endpoint's event loop only, except `offer`."""

    def __init__(self, sources: Sequence[ModelSource] = (), aliases: Mapping[str, str] | None = None) -> None:
        self._aliases = dict(aliases or {})
        self._by_name: dict[str, ModelSource] = {}
        self._sources: tuple[ModelSource, ...] = ()
        self.default_model: ChatModel | None = None
        """What is known of the endpoint's model while it is not loaded; None if nothing is."""
        self.offer(sources)

    @property
    def sources(self) -> tuple[ModelSource, ...]:
        return self._sources

    def offer(self, sources: Sequence[ModelSource]) -> None:
        """Replaces all models. Earlier ones have precedence on a clash of names. May be called on any thread."""
        by_name: dict[str, ModelSource] = {}
        for source in sources:
            by_name.setdefault(source.model.id, source)
        for source in sources:
            if source.place:
                by_name.setdefault(f"{source.model.id}@{source.place}", source)
        self._by_name, self._sources = by_name, tuple(sources)

    @property
    def default_id(self) -> str:
        return self.default_model.id if self.default_model is not None else ""

    def real_name(self, name: str | None) -> str | None:
        return name if name is None else self._aliases.get(name, name)

    def find(self, name: str | None) -> ModelSource | None:
        """Returns the model with this name, or None if there is none besides that of the endpoint. The caller compares
        the name with the id of the endpoint's model before."""
        return None if name is None else self._by_name.get(name)

    @property
    def is_ready(self) -> bool:
        """Whether one of the models is loaded."""
        return any(each.state == "loaded" for each in self._sources)

    def first(self) -> ModelSource | None:
        """The first model that answers; None if there is none. It replaces a missing model of the endpoint."""
        return next((each for each in self._sources if not _is_embedder(each.model)), None)

    def id_of(self, source: ModelSource, default_id: str) -> str:
        """The name under which the model is listed."""
        id = source.model.id
        is_taken = id == default_id or self._by_name.get(id) is not source
        return f"{id}@{source.place}" if is_taken and source.place else id

    def listed(self, default_id: str) -> list[ListedModel]:
        return [
            ListedModel(
                renamed(source.model, self.id_of(source, default_id)),
                source.state,
                source.capabilities,
                source.expires_at,
                _is_embedder(source.model),
            )
            for source in self._sources
        ]


def renamed(model: ChatModel, id: str) -> ChatModel:
    """The model, which must be a dataclass, with another id."""
    return model if model.id == id else cast(ChatModel, replace(cast(Any, model), id=id))


def _is_embedder(model: ChatModel) -> bool:
    return isinstance(model, RemoteModel) and model.is_embedder

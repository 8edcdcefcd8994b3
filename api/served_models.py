"""The models that `inglenook-serve` offers besides its own: further files, and those of other servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from api.model_router import ModelRouter, ModelSource
from api.model_sources import FileSource, RemoteSource, UnloadedModel, read_unloaded
from engine.engine import Engine
from engine.errors import EngineError
from engine.pool import ModelPool
from engine.remote.client import ConnectionClient
from engine.remote.connected_models import ConnectedModels
from engine.remote.connection import Connection
from engine.remote.remote_thread import RemoteThread
from engine.remote.upstream_group import UpstreamGroup


@dataclass(frozen=True, slots=True)
class ServedModels:
    """What the router offers. `files` maps paths to what their headers tell; `keys` maps ids of connections to keys."""

    files: Mapping[Path, UnloadedModel] = field(default_factory=dict)
    connections: Sequence[Connection] = ()
    upstreams: Sequence[tuple[str, Sequence[Connection]]] = ()
    """Names, each with the servers behind it."""
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)

    @asynccontextmanager
    async def offered(
        self, router: ModelRouter, engine: Engine, make_engine: Callable[[], Engine]
    ) -> AsyncIterator[None]:
        """Offers the models until the block ends, and closes them then. `engine`: that of the endpoint, which shares
        the machine's memory with the files. `make_engine` creates those for the files."""
        async with AsyncExitStack() as stack:
            files = await self._file_sources(stack, engine, make_engine)
            thread = RemoteThread()
            stack.push_async_callback(thread.aclose)
            groups = self._group(stack, thread)
            connected = self._connect(stack, thread)

            def offer() -> None:
                router.offer([*files, *groups, *_remote_sources(connected)])

            offer()
            stack.callback(router.offer, ())
            for each in connected:
                task = asyncio.create_task(each.watch(offer), name=f"models of {each.connection.name}")
                stack.push_async_callback(_cancel, task)
            yield

    async def _file_sources(
        self, stack: AsyncExitStack, engine: Engine, make_engine: Callable[[], Engine]
    ) -> list[ModelSource]:
        if not self.files:
            return []
        pool = ModelPool(make_engine)
        pool.adopt(engine)
        stack.push_async_callback(pool.aclose)
        return [FileSource(pool, path, unloaded) for path, unloaded in self.files.items()]

    def _group(self, stack: AsyncExitStack, thread: RemoteThread) -> list[ModelSource]:
        sources: list[ModelSource] = []
        for name, servers in self.upstreams:
            key = self.keys.get(name, "")
            group = UpstreamGroup(name, [ConnectionClient(each, key, thread=thread) for each in servers])
            group.start()
            stack.push_async_callback(group.aclose)
            sources.append(RemoteSource(group, group.status.model, ""))
        return sources

    def _connect(self, stack: AsyncExitStack, thread: RemoteThread) -> list[ConnectedModels]:
        connected = [ConnectedModels(each, self.keys.get(each.id, ""), thread) for each in self.connections]
        for each in connected:
            stack.push_async_callback(each.aclose)
        return connected


def read_files(paths: Sequence[Path]) -> dict[Path, UnloadedModel]:
    """Reads the headers of model files. Blocks. Raises ModelFileError, and ValueError for two files with one name."""
    found: dict[Path, UnloadedModel] = {}
    for path in paths:
        unloaded = read_unloaded(path)
        if any(each.id == unloaded.id for each in found.values()):
            raise ValueError(f"two models are named {unloaded.id}")
        found[path] = unloaded
    return found


def readable_files(paths: Sequence[Path]) -> dict[Path, UnloadedModel]:
    """As `read_files`, but leaves out what cannot be loaded, and further files with a name."""
    found: dict[str, tuple[Path, UnloadedModel]] = {}
    for path in paths:
        try:
            unloaded = read_unloaded(path)
        except (EngineError, OSError):
            continue
        found.setdefault(unloaded.id, (path, unloaded))
    return dict(found.values())


def _remote_sources(connected: Sequence[ConnectedModels]) -> list[ModelSource]:
    return [
        RemoteSource(engine, engine.status.model, each.connection.name) for each in connected for engine in each.engines
    ]


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})

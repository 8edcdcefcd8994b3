"""The face of the engine: one model, loaded once, asked through two origins."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from engine.backend import Backend, LoadSettings, OpenBackend
from engine.embedding.client import EmbeddingClient
from engine.embedding.embedder import OpenEmbedder
from engine.embedding.executor import EmbeddingExecutor
from engine.errors import EngineClosed, EngineDead, EngineError, NotLoaded
from engine.events import EmbedderInfo, Embeddings, ModelInfo, Status
from engine.inbox import Cancel, Close, Load, Unload
from engine.kv_cache.snapshot_store import SNAPSHOT_CAP_BYTES, open_snapshot_store
from engine.library.load_trial import LoadTrial
from engine.library.memory_use import MemoryUse, memory_use
from engine.library.trial import Trial
from engine.malloc_config import configure_malloc
from engine.model_queries import ModelQueries
from engine.natives import open_embedding_model, open_model
from engine.prompt.context_fit import ContextFit
from engine.prompt.prompt_builder import PromptBuilder
from engine.prompt.thread_pools import PromptThreadPools
from engine.prompt_dispatcher import PromptDispatcher
from engine.request_state import Progress, RequestRegistry, RequestState
from engine.requests import EmbedRequest, Message, Request
from engine.status import StatusPublisher
from engine.stream import RequestStream
from engine.worker import Worker

__all__ = ["Engine", "LoadSettings"]


class Engine:
    """One model behind one native thread.

    `submit` belongs to any thread with a running loop; `load`, `unload` and `aclose` to the one loop that owns the
    engine; everything else to any thread."""

    def __init__(
        self,
        open_backend: OpenBackend | None = None,
        *,
        open_embedder: OpenEmbedder | None = None,
        probe: LoadTrial | None = None,
        snapshots: Path | None = None,
        snapshot_cap_bytes: int = SNAPSHOT_CAP_BYTES,
    ) -> None:
        """`probe` tries files before they are loaded; None tries none.

        `snapshots` is the folder in which what was read is kept for the next start; None keeps nothing."""
        configure_malloc()
        self._board = StatusPublisher()
        self._book = RequestRegistry()
        self._load_cancelled = threading.Event()
        self._trial = Trial(probe, self._load_cancelled)
        self._snapshots = snapshots
        self._worker = Worker(
            open_backend or open_model,
            partial(open_snapshot_store, snapshots, snapshot_cap_bytes),
            self._book,
            self._on_progress,
            self._on_death,
            EmbeddingExecutor(open_embedder or open_embedding_model, lambda: self._embeddings.lost()),
        )
        self._native = ThreadPoolExecutor(1, "inglenook-native")
        self._pools = PromptThreadPools()
        self._intake = PromptDispatcher(self._pools, self._book, self._worker.inbox)
        self._embeddings = EmbeddingClient(self._worker.inbox, self._pools.pool, self._pools.drain, self._board)
        self._running: asyncio.Future[None] | None = None
        self.ask = ModelQueries(self._pools, self._ready_prompt_builder)
        """What tools ask beside answers."""
        self._changing = asyncio.Lock()
        self._closing = self._closed = False
        """Set at once by `aclose`, which may have to wait for a load before it publishes "closed"."""

    @property
    def status(self) -> Status:
        """Where the engine stands now."""
        return self._board.status

    @property
    def memory(self) -> MemoryUse:
        """What is taken now. Cheap enough to be asked each second."""
        model = self.status.model
        return memory_use(model.memory if model else None, self._snapshots, self._worker.kv_usage)

    def watch(self, listener: Callable[[Status], None]) -> Callable[[], None]:
        """Calls `listener` on the caller's running loop at every change, first with the status of now.

        Returns a function that ends it (any thread)."""
        return self._board.watch(listener)

    async def load(self, path: Path, settings: LoadSettings = LoadSettings()) -> ModelInfo:
        """Loads the model, replacing the one in memory, whose requests end with NotLoaded.

        Where the file is refused before it is read (by the probe), the model in memory stays.
        Raises ModelFileError, LoadCancelled, EngineClosed, EngineDead."""
        async with self._changing:
            self._begin_load()
            await self._try_file(path)
            self._start()
            try:
                await self._drain_pools()
                done: Future[Backend] = Future()
                self._worker.inbox.put(Load(path, settings, done))
                backend = await asyncio.wrap_future(done)
                self._pools.prompt_builder = prompt_builder = PromptBuilder(backend)
                self._pools.run("window", 0, prompt_builder, PromptBuilder.warm_up)
                self._embeddings.chat = backend
            except EngineError as error:
                self._board.publish(Status("empty", error=error))
                raise
            except BaseException:
                self._load_cancelled.set()
                self._worker.inbox.put(Unload(Future()))  # it may have been loaded a moment before
                self._board.publish(Status("empty"))
                raise
            self._board.publish(Status("ready", backend.info, 1.0))
            return backend.info

    def _begin_load(self) -> None:
        """Raises EngineClosed. A load that waited behind another one must not undo the cancel of `aclose`."""
        if self._closing:
            raise EngineClosed
        self._load_cancelled.clear()

    async def _try_file(self, path: Path) -> None:
        """Has the file probed while the model in memory goes on with what it does, and puts the status to "loading"."""
        before = self.status
        self._board.publish(Status("loading"))
        try:
            await self._trial.run(path)
        except BaseException as error:
            if self.status.state == "loading":
                told = error if isinstance(error, EngineError) else None
                kept = before.state == "ready"
                self._board.publish(replace(before, error=told) if kept else Status("empty", error=told))
            raise

    def cancel_load(self) -> None:
        """Ends a load that is under way; it raises LoadCancelled. Idempotent."""
        self._load_cancelled.set()

    async def unload(self) -> None:
        """Ends every request with NotLoaded and frees the model."""
        async with self._changing:
            if self._running is None or self.status.state == "closed":
                return
            self._board.publish(Status("empty"))
            await self._drain_pools()
            done: Future[None] = Future()
            self._worker.inbox.put(Unload(done))
            await asyncio.wrap_future(done)

    def submit(self, request: Request) -> RequestStream:
        """Queues a request; its events come on the running loop. Never blocks.

        Raises NotLoaded, EngineDead, EngineClosed at once. What is wrong with the request itself
        (ContextOverflow, TemplateError) comes as `Failed`, the stream's only event."""
        prompt_builder = self._ready_prompt_builder()
        stream = RequestStream(request.id, asyncio.get_running_loop(), self.cancel)
        state = RequestState(request, stream, time.monotonic())
        self._intake.take(prompt_builder, state)
        return stream

    async def load_embedder(self, path: Path, settings: LoadSettings = LoadSettings()) -> EmbedderInfo:
        """Loads an embedding model beside the chat model, in the place of the one before. Cancelled by its task.

        Raises ModelFileError, InvalidSettings, NotEnoughMemory, EngineClosed."""
        async with self._changing:
            self._begin_load()
            self._start()
            await self._trial.run(path)
            return await self._embeddings.load(path, settings)

    async def unload_embedder(self) -> None:
        """Frees the embedding model; its requests end with NotLoaded. The chat model embeds from then on."""
        async with self._changing:
            if self._running is not None and self.status.state != "closed":
                await self._embeddings.unload()

    async def embed(self, request: EmbedRequest) -> Embeddings:
        """Any thread with a running loop. Cancelling the task ends the work within a slice.

        Raises NotLoaded, EngineDead, EngineClosed, RequestError, ContextOverflow (of the first input too long)."""
        if self.status.embedder is None or self.status.state == "closed":
            self._ready_prompt_builder()
        return await self._embeddings.embed(request)

    async def fit(self, messages: Sequence[Message]) -> ContextFit:
        """How a chat fits into the context, before it is sent. Raises NotLoaded, TemplateError."""
        return await self.ask.fit(messages)

    def progress(self, request_id: str) -> Progress | None:
        """State of a request from `submit` to its last event; None for other ids. Any thread.

        Costs microseconds, so the window can poll it every 200 ms: `n_read` changes with every step, `waits_for` and
        `is_stopping` at once."""
        return self._book.progress(request_id)

    @property
    def idle_since(self) -> float | None:
        """Since when nobody is answered, by the monotonic clock; None while somebody is or waits. Any thread."""
        return self._book.idle_since

    def cancel(self, request_id: str) -> None:
        """Ends a request within one step; its last event still comes. Unknown ids are ignored. Idempotent."""
        if self._book.cancel(request_id):
            self._worker.inbox.put(Cancel())

    async def aclose(self) -> None:
        """Cancels all, frees the context, then the model, and joins the threads. Idempotent; where its task was
        cancelled, a second call goes on with what is left to do."""
        self._closing = True
        self._load_cancelled.set()
        self._embeddings.cancel_load()
        async with self._changing:
            if self._closed:
                return
            self._board.publish(Status("closed"))
            self._book.cancel_all()
            self._embeddings.close()
            await self._drain_pools()
            if self._running is not None:
                self._worker.inbox.put(Close())
                await asyncio.shield(self._running)
            self._native.shutdown()
            self._pools.close()
            self._book.fail_all(EngineClosed())
            self._closed = True

    def _start(self) -> None:
        if self._running is None:
            self._running = asyncio.get_running_loop().run_in_executor(self._native, self._worker.run)

    async def _drain_pools(self) -> None:
        """Waits until nothing tokenises with the model that is about to be freed."""
        self._embeddings.chat = None
        await self._pools.invalidate()

    def _ready_prompt_builder(self) -> PromptBuilder:
        status, prompt_builder = self.status, self._pools.prompt_builder
        match status.state:
            case "closed":
                raise EngineClosed
            case "dead" if isinstance(status.error, EngineDead):
                raise status.error
        if prompt_builder is None or status.state != "ready":
            raise NotLoaded(loading=status.state == "loading")
        return prompt_builder

    def _on_progress(self, progress: float) -> bool:
        if self._load_cancelled.is_set():
            return False
        # In steps of 5 %: llama.cpp reports each of thousands of tensors, and every change is drawn.
        step = int(progress * 20) / 20
        self._board.update(lambda now: replace(now, progress=step) if now.state == "loading" else now)
        return True

    def _on_death(self, error: EngineDead) -> None:
        """Native thread. A status that `unload` or `aclose` published meanwhile stays."""
        self._board.update(lambda now: now if now.state in ("empty", "closed") else Status("dead", error=error))

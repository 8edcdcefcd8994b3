"""The engine's interface: loads models, answers requests, and owns the engine's threads."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from engine.adapter import Adapter, AdapterScales, fitted
from engine.backend import LoadSettings, OpenBackend, OpenEmbedder
from engine.chat_engine import LOCAL_CAPABILITIES, Capabilities
from engine.devices.backend_state import BackendState
from engine.devices.card_finder import CardFinder
from engine.devices.graphics_cards import GraphicsCards
from engine.embedding.client import EmbeddingClient
from engine.embedding.executor import EmbeddingExecutor, OwnModel
from engine.errors import AdapterError, DraftModelError, EngineClosed, EngineDead, EngineError, LoadCancelled, NotLoaded
from engine.events import Embeddings, Scores
from engine.kv_cache.snapshot_store import SNAPSHOT_CAP_BYTES, open_snapshot_store
from engine.library.load_trial import LoadTrial
from engine.library.memory_use import MemoryUse, memory_use
from engine.malloc_config import configure_malloc
from engine.model_queries import ModelQueries
from engine.native import open_embedding_model, open_model
from engine.prompt.prompt_builder import PromptBuilder
from engine.prompt_dispatcher import PromptDispatcher
from engine.request_state import RequestProgress, RequestRegistry, RequestState
from engine.requests import EmbedRequest, Request, RerankRequest
from engine.status import EmbedderInfo, ModelInfo, Status, StatusPublisher
from engine.step_arbiter import StepArbiter
from engine.stream import RequestStream
from engine.worker import Worker

__all__ = ["Engine", "LoadSettings"]


class Engine:
    """A chat model, and optionally an embedding model beside it.

    `submit`, `embed` and `queries` may be used on any thread with a running event loop. Call `aclose` and the methods
    that load and unload on the one event loop that owns the engine. Everything else may be used on any thread."""

    def __init__(
        self,
        open_backend: OpenBackend | None = None,
        *,
        open_embedder: OpenEmbedder | None = None,
        load_trial: LoadTrial | None = None,
        graphics: GraphicsCards | None = None,
        snapshots: Path | None = None,
        snapshot_cap_bytes: int = SNAPSHOT_CAP_BYTES,
        arbiter: StepArbiter | None = None,
    ) -> None:
        """`load_trial` loads a file on trial in a child process before the engine loads it; with None, files are loaded
        without a trial. `graphics` finds the graphics cards at the first load; with None, only those that llama.cpp
        knows by itself are used.

        `snapshots` is the folder for KV snapshots on disk; with None, KV states are saved in host memory only.
        `arbiter` lets several engines of one process take turns."""
        configure_malloc()
        self._load_trial = load_trial
        self._snapshots = snapshots
        self._status = StatusPublisher()
        self._registry = RequestRegistry()
        self._load_cancelled = threading.Event()
        embedding = EmbeddingExecutor(
            open_embedder or open_embedding_model, lambda kind: self._own_models[kind].embedder_failed()
        )
        self._worker = Worker(
            open_backend or open_model,
            partial(open_snapshot_store, snapshots, snapshot_cap_bytes),
            self._registry,
            embedding,
            self._on_progress,
            self._on_death,
            lambda: self._cards.first_step_passed(),
            arbiter=arbiter,
        )
        self._cards = CardFinder(graphics, self._worker.call, self._status)
        self._native_thread = ThreadPoolExecutor(1, "inglenook-native")
        self._worker_run: asyncio.Future[None] | None = None
        self._prompts = PromptDispatcher(self._registry, self._worker.submit)
        self._embedding = EmbeddingClient(self._worker.post, embedding, self._prompts, self._status.publish_embedder)
        self._reranking = EmbeddingClient(
            self._worker.post, embedding, self._prompts, self._status.publish_reranker, "reranker"
        )
        self._own_models: dict[OwnModel, EmbeddingClient] = {"embedder": self._embedding, "reranker": self._reranking}
        self.queries = ModelQueries(self._prompts, self._ready_prompt_builder)
        self._load_lock = asyncio.Lock()
        self._closed = False
        self._closing = False
        """Set when `aclose` is called. The status becomes "closed" later, because `aclose` may have to wait for a
        load."""

    @property
    def status(self) -> Status:
        return self._status.status

    @property
    def capabilities(self) -> Capabilities:
        return LOCAL_CAPABILITIES

    @property
    def memory(self) -> MemoryUse:
        """Current memory use. Reading it is cheap enough for polling every second."""
        model = self.status.model
        return memory_use(model.memory if model else None, self._snapshots, self._worker.kv_usage)

    def forget(self, owners: Collection[str]) -> None:
        """Removes the KV states that have only the given owners, and those with an unknown owner, from memory, and
        their snapshots that wait to be written. `snapshot_owners.delete_snapshots` deletes the other snapshots. Returns
        at once."""
        self._worker.forget(owners)

    def watch(self, listener: Callable[[Status], None]) -> Callable[[], None]:
        """Calls `listener` on the caller's event loop, first with the current status and then after every change.

        Returns a function that ends these calls. That function may be called on any thread."""
        return self._status.watch(listener)

    async def load(self, path: Path, settings: LoadSettings = LoadSettings()) -> ModelInfo:
        """Replaces the chat model; open requests to the previous one end with NotLoaded. A child process loads the file
        on trial first. If that fails, the previous model stays loaded.

        Raises ModelFileError, InvalidSettings, NotEnoughMemory, LoadCancelled, EngineClosed, EngineDead."""
        async with self._load_lock:
            self._begin_load()
            self._start_worker()
            self._cards.begin()
            settings, draft_error, adapter_errors = await self._try_models(path, settings)
            try:
                await self._invalidate_chat_model()
                await self._cards.prepare_load(settings)
                backend = await asyncio.wrap_future(self._worker.load(path, settings))
                self._prompts.prompt_builder = prompt_builder = PromptBuilder(backend)
                self._prompts.run("window", 0, prompt_builder, PromptBuilder.warm_up)
                self._embedding.chat_backend = backend
            except EngineError as error:
                await self._cards.set_in_use(())
                self._status.publish(Status("empty", error=error))
                raise
            except BaseException:
                self._load_cancelled.set()
                self._worker.unload()  # the model may have been loaded before the load was cancelled
                self._status.publish(Status("empty"))
                raise
            memory = backend.info.memory
            await self._cards.set_in_use(memory.offload.devices if memory is not None else ())
            info = replace(
                backend.info,
                draft_error=draft_error or backend.info.draft_error,
                adapter_errors=(*adapter_errors, *backend.info.adapter_errors),
            )
            self._status.publish(Status("ready", info, 1.0))
            return info

    def cancel_load(self) -> None:
        """Cancels the current `load`, which raises LoadCancelled. A current `load_embedder` is cancelled only during
        its trial load. Idempotent."""
        self._load_cancelled.set()

    async def unload(self) -> None:
        """Frees the chat model; open requests to it end with NotLoaded."""
        async with self._load_lock:
            if self._worker_run is None or self.status.state == "closed":
                return
            self._status.publish(Status("empty"))
            await self._invalidate_chat_model()
            await asyncio.wrap_future(self._worker.unload())
            await self._cards.set_in_use(())

    async def find_graphics_cards(self, again: bool = False) -> tuple[BackendState, ...]:
        """Looks for libraries for graphics cards, and makes their cards known for the next load. With `again`,
        libraries that failed before are tried again. The result is also in `status`.

        Raises EngineClosed."""
        if self._closing:
            raise EngineClosed
        self._start_worker()
        return await self._cards.find(again)

    def submit(self, request: Request) -> RequestStream:
        """Queues a request and returns the stream of its events, which arrive on the running event loop. Never blocks.

        Raises NotLoaded, EngineDead, EngineClosed. Errors of the request itself, such as ContextOverflow and
        TemplateError, arrive as a `Failed` event."""
        prompt_builder = self._ready_prompt_builder()
        model = self.status.model
        if request.adapter_scales is None and model is not None and model.adapters:
            request = replace(request, adapter_scales=model.adapter_scales)
        stream = RequestStream(request.id, asyncio.get_running_loop(), self.cancel)
        self._prompts.dispatch(prompt_builder, RequestState(request, stream, time.monotonic()))
        return stream

    def set_adapter_scales(self, scales: AdapterScales) -> None:
        """Sets the scales of the loaded model's adapters for requests that are submitted later and set none. Missing
        ones become 0. Does nothing if no model is loaded."""

        def change(status: Status) -> Status:
            if status.model is None:
                return status
            adapters = status.model.adapters
            changed = tuple(
                Adapter(each.path, scale) for each, scale in zip(adapters, fitted(scales, len(adapters)), strict=True)
            )
            return replace(status, model=replace(status.model, adapters=changed))

        self._status.update(change)

    def cancel(self, request_id: str) -> None:
        """Cancels a request. It ends within one decode step, and its last event still arrives. Ignores unknown ids.
        Idempotent."""
        if self._registry.cancel(request_id):
            self._worker.drop_cancelled()

    def progress(self, request_id: str) -> RequestProgress | None:
        """Returns the progress of a request between `submit` and its last event; None for any other id. Cheap enough
        for polling."""
        return self._registry.progress(request_id)

    @property
    def idle_since(self) -> float | None:
        """Time (`time.monotonic`) at which the last open request ended, or the engine was created; None while a request
        is open."""
        return self._registry.idle_since

    async def load_embedder(self, path: Path, settings: LoadSettings = LoadSettings()) -> EmbedderInfo:
        """Replaces the embedding model.

        Raises ModelFileError, InvalidSettings, NotEnoughMemory, LoadCancelled, EngineClosed, EngineDead."""
        async with self._load_lock:
            self._begin_load()
            self._start_worker()
            await self._try_file(path)
            return await self._embedding.load(path, settings)

    async def unload_embedder(self) -> None:
        """Frees the embedding model; open requests to it end with NotLoaded. The chat model computes later embedding
        requests."""
        async with self._load_lock:
            if self._worker_run is not None and self.status.state != "closed":
                await self._embedding.unload()

    async def embed(self, request: EmbedRequest) -> Embeddings:
        """Computes embeddings. If the task is cancelled, the computation ends within one decode.

        Raises NotLoaded, EngineDead, EngineClosed, RequestError, ContextOverflow (for the first input that is too
        long)."""
        if self.status.embedder is None or self.status.state == "closed":
            self._ready_prompt_builder()  # raises if the engine is closed, or if no chat model is loaded either
        return await self._embedding.embed(request)

    async def load_reranker(self, path: Path, settings: LoadSettings = LoadSettings()) -> EmbedderInfo:
        """Replaces the reranking model. Raises the errors of `load_embedder`."""
        async with self._load_lock:
            self._begin_load()
            self._start_worker()
            await self._try_file(path)
            return await self._reranking.load(path, settings)

    async def unload_reranker(self) -> None:
        """Frees the reranking model; open requests to it end with NotLoaded."""
        async with self._load_lock:
            if self._worker_run is not None and self.status.state != "closed":
                await self._reranking.unload()

    async def rerank(self, request: RerankRequest) -> Scores:
        """Computes the scores of documents. If the task is cancelled, the computation ends within one decode.

        Raises Unsupported (if no reranking model is loaded), NotLoaded, EngineDead, EngineClosed, ContextOverflow."""
        if self.status.state == "closed":
            raise EngineClosed
        return await self._reranking.rerank(request)

    async def aclose(self) -> None:
        """Cancels all requests, frees the models and joins the threads. Idempotent. If the closing task is cancelled, a
        second call completes the closing."""
        self._closing = True
        self._load_cancelled.set()
        self._cards.stop()
        self._embedding.cancel_load()
        self._reranking.cancel_load()
        async with self._load_lock:
            if self._closed:
                return
            self._status.publish(Status("closed"))
            self._registry.cancel_all()
            self._embedding.close()
            self._reranking.close()
            await self._invalidate_chat_model()
            if self._worker_run is not None:
                self._worker.close()
                await asyncio.shield(self._worker_run)
            await self._cards.set_in_use(())
            self._native_thread.shutdown()
            self._prompts.close()
            self._registry.fail_all(EngineClosed())
            self._closed = True

    def _begin_load(self) -> None:
        """Clears the cancel flag for a new load. After `aclose` was called, raises EngineClosed instead. The flag then
        stays set, so that loads that wait for another load are cancelled too."""
        if self._closing:
            raise EngineClosed
        self._load_cancelled.clear()

    async def _try_models(
        self, path: Path, settings: LoadSettings
    ) -> tuple[LoadSettings, DraftModelError | None, tuple[AdapterError, ...]]:
        """Runs the trial load of a chat model in a child process, then that of its draft model. Returns the settings
        without the adapters and the draft model that cannot be used, and why they cannot. Requests to the previous
        model continue meanwhile, although the status is "loading"."""
        before = self.status
        self._status.publish(Status("loading"))
        try:
            settings, adapter_errors = await self._try_with_adapters(path, settings)
            draft_error = await self._try_draft_model(settings)
        except BaseException as error:
            if self.status.state == "loading":
                reason = error if isinstance(error, EngineError) else None
                stays_loaded = before.state == "ready"
                self._status.publish(replace(before, error=reason) if stays_loaded else Status("empty", error=reason))
            raise
        if draft_error is not None:
            settings = replace(settings, draft_model=None)
        return settings, draft_error, adapter_errors

    async def _try_with_adapters(
        self, path: Path, settings: LoadSettings
    ) -> tuple[LoadSettings, tuple[AdapterError, ...]]:
        """Loads a chat model on trial, again without each adapter that cannot be used. Returns the settings without
        them, and why they cannot be used."""
        errors: list[AdapterError] = []
        while True:
            try:
                await self._try_file(path, settings.adapters)
            except AdapterError as error:
                errors.append(error)
                settings = settings.without_adapter(error.path)
            else:
                return settings, tuple(errors)

    async def _try_draft_model(self, settings: LoadSettings) -> DraftModelError | None:
        """Loads the draft model on trial. Returns why it cannot be used; None if it can, or if there is none. Raises
        LoadCancelled."""
        path = settings.draft_model
        if path is None:
            return None
        try:
            await self._try_file(path)
        except LoadCancelled:
            raise
        except EngineError as error:
            return DraftModelError(path, error)
        return None

    async def _try_file(self, path: Path, adapters: tuple[Adapter, ...] = ()) -> None:
        """Loads a file on trial in a child process. Raises ModelFileError, AdapterError, InvalidSettings,
        LoadCancelled."""
        if self._load_trial is None:
            return
        try:
            await asyncio.to_thread(self._load_trial.check, path, self._load_cancelled.is_set, adapters)
        except asyncio.CancelledError:
            self._load_cancelled.set()  # stops the trial load, which still runs
            raise

    def _start_worker(self) -> None:
        if self._worker_run is None:
            self._worker_run = asyncio.get_running_loop().run_in_executor(self._native_thread, self._worker.run)

    async def _invalidate_chat_model(self) -> None:
        """Stops tokenization with the chat model, before the model is freed."""
        self._embedding.chat_backend = None
        await self._prompts.invalidate()

    def _ready_prompt_builder(self) -> PromptBuilder:
        """Returns the prompt builder of the loaded model. Raises NotLoaded, EngineDead, EngineClosed."""
        status, prompt_builder = self.status, self._prompts.prompt_builder
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
        # Progress is rounded to 5 %, because llama.cpp reports it for each of thousands of tensors, and the window is
        # redrawn at every status change.
        rounded = int(progress * 20) / 20
        self._status.update(lambda now: replace(now, progress=rounded) if now.state == "loading" else now)
        return True

    def _on_death(self, error: EngineDead) -> None:
        """Publishes the status "dead", unless `unload` or `aclose` has published another status. Called on the native
        thread, the one that decodes."""
        self._status.update(lambda now: now if now.state in ("empty", "closed") else Status("dead", error=error))

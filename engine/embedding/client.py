"""Passes embedding requests from any event loop to the native thread (the one that decodes), and the results back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path

from engine.backend import Backend, Embedder, LoadSettings, TokenizationCancelled
from engine.embedding.executor import EmbeddingExecutor
from engine.embedding.queue import EmbedJob
from engine.errors import EngineClosed, NotLoaded
from engine.events import Embeddings
from engine.prompt_dispatcher import PromptDispatcher
from engine.requests import EmbedRequest
from engine.status import EmbedderInfo, StatusPublisher


class EmbeddingClient:
    """Computes embeddings for callers on event loops. `embed` may be called on any thread with a running event loop.
    Call everything else on the engine's event loop, one call at a time."""

    def __init__(
        self,
        post: Callable[[Callable[[], None]], None],
        executor: EmbeddingExecutor,
        prompts: PromptDispatcher,
        status: StatusPublisher,
    ) -> None:
        """`post` runs an action on the native thread."""
        self._post = post
        self._executor = executor
        self._prompts = prompts
        self._status = status
        self._embedder: Embedder | None = None
        self._load_cancelled = threading.Event()
        self.chat_backend: Backend | None = None
        """The chat model. None while inputs must not be tokenized with it."""

    async def load(self, path: Path, settings: LoadSettings) -> EmbedderInfo:
        """Replaces the embedding model. Raises the errors of `engine.backend.OpenEmbedder`, which opens the model."""
        cancelled = self._load_cancelled = threading.Event()
        await self._invalidate()
        done: Future[Embedder] = Future()
        self._post(partial(self._executor.load, path, settings, cancelled, done))
        try:
            embedder = await asyncio.wrap_future(done)
        except asyncio.CancelledError:
            cancelled.set()
            # the model may have been loaded before the load was cancelled
            self._post(partial(self._executor.unload, NotLoaded()))
            raise
        self._embedder = embedder
        self._status.publish_embedder(embedder.info)
        return embedder.info

    def cancel_load(self) -> None:
        """Cancels the current load, which then raises LoadCancelled."""
        self._load_cancelled.set()

    async def unload(self) -> None:
        await self._invalidate()
        done: Future[None] = Future()
        self._post(partial(self._executor.unload, NotLoaded(), done))
        await asyncio.wrap_future(done)

    async def embed(self, request: EmbedRequest) -> Embeddings:
        """Computes the vectors of a request. If the task is cancelled, the computation ends.

        Raises NotLoaded, EngineClosed, EngineDead, ContextOverflow, RequestError."""
        source = self._source()
        if source is None:
            raise NotLoaded
        cancelled = threading.Event()
        try:
            thread = self._prompts.thread(request.origin, sum(map(len, request.inputs)))
            submitted = thread.submit(self._submit, source, request, cancelled)
        except RuntimeError:  # the thread has ended because the engine was closed
            raise EngineClosed from None
        try:
            job = await asyncio.wrap_future(submitted)
            return await asyncio.wrap_future(job.done)
        except asyncio.CancelledError:
            cancelled.set()
            self._post(self._executor.drop_cancelled)
            raise

    def close(self) -> None:
        """Rejects further requests. The native thread ends those in progress."""
        self._embedder = self.chat_backend = None

    def embedder_failed(self) -> None:
        """Publishes that the embedding model has failed and was unloaded. Called on the native thread."""
        self._embedder = None
        self._status.publish_embedder(None)

    async def _invalidate(self) -> None:
        """Stops tokenization with the embedding model, before the model is freed."""
        self._embedder = None
        self._status.publish_embedder(None)
        await self._prompts.drain()

    def _source(self) -> Embedder | Backend | None:
        return self._embedder or self.chat_backend

    def _submit(self, source: Embedder | Backend, request: EmbedRequest, cancelled: threading.Event) -> EmbedJob:
        """Tokenizes the inputs and passes them to the native thread.

        This runs on one of the threads that build prompts. The model is freed, and the engine is closed, only after all
        calls of this method have ended. So no job is queued too late."""
        if source is not self._source():
            raise NotLoaded

        def stopped() -> bool:
            return cancelled.is_set() or source is not self._source()

        # If an input contains the text of a control token, it is tokenized as plain text.
        tokenize = partial(source.tokenize, add_special=True, parse_special=False, cancelled=stopped)
        try:
            special_tokens = tokenize("") if request.truncate else []
            inputs = [tokenize(each) if isinstance(each, str) else each for each in request.inputs]
        except TokenizationCancelled:
            raise NotLoaded from None
        job = EmbedJob(request, inputs, source, cancelled, special_tokens)
        self._post(partial(self._executor.accept, job))
        return job

"""Passes embedding and reranking requests from any event loop to the native thread (the one that decodes), and the
results back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path

from engine.backend import Backend, Embedder, LoadSettings, TokenizationCancelled
from engine.embedding.executor import EmbeddingExecutor, OwnModel
from engine.embedding.queue import EmbedJob
from engine.embedding.rank_prompt import RankPrompts
from engine.errors import EngineClosed, NotLoaded, Unsupported
from engine.events import Embeddings, Scores
from engine.prompt_dispatcher import PromptDispatcher
from engine.requests import EmbedRequest, RerankRequest
from engine.status import EmbedderInfo

Tokens = Callable[[Embedder | Backend, Callable[[], bool]], Sequence[Sequence[int]]]
"""Tokenizes the inputs of a request. The second argument says whether to stop with TokenizationCancelled."""


class EmbeddingClient:
    """Computes embeddings, or the scores of a reranking model, for callers on event loops. `embed` and `rerank` may be
    called on any thread with a running event loop. Call everything else on the engine's event loop, one call at a
    time."""

    def __init__(
        self,
        post: Callable[[Callable[[], None]], None],
        executor: EmbeddingExecutor,
        prompts: PromptDispatcher,
        publish: Callable[[EmbedderInfo | None], None],
        kind: OwnModel = "embedder",
    ) -> None:
        """`post` runs an action on the native thread. `publish` is called with the loaded model of this kind."""
        self._post = post
        self._executor = executor
        self._prompts = prompts
        self._publish = publish
        self._kind = kind
        self._embedder: Embedder | None = None
        self._load_cancelled = threading.Event()
        self.chat_backend: Backend | None = None
        """The chat model. None while inputs must not be tokenized with it."""

    async def load(self, path: Path, settings: LoadSettings) -> EmbedderInfo:
        """Replaces the embedding model. Raises the errors of `engine.backend.OpenEmbedder`, which opens the model."""
        cancelled = self._load_cancelled = threading.Event()
        await self._invalidate()
        done: Future[Embedder] = Future()
        self._post(partial(self._executor.load, self._kind, path, settings, cancelled, done))
        try:
            embedder = await asyncio.wrap_future(done)
        except asyncio.CancelledError:
            cancelled.set()
            # the model may have been loaded before the load was cancelled
            self._post(partial(self._executor.unload, self._kind, NotLoaded()))
            raise
        self._embedder = embedder
        self._publish(embedder.info)
        return embedder.info

    def cancel_load(self) -> None:
        """Cancels the current load, which then raises LoadCancelled."""
        self._load_cancelled.set()

    async def unload(self) -> None:
        await self._invalidate()
        done: Future[None] = Future()
        self._post(partial(self._executor.unload, self._kind, NotLoaded(), done))
        await asyncio.wrap_future(done)

    async def embed(self, request: EmbedRequest) -> Embeddings:
        """Computes the vectors of a request. If the task is cancelled, the computation ends.

        Raises NotLoaded, EngineClosed, EngineDead, ContextOverflow, RequestError."""
        source = self._source()
        if source is None:
            raise NotLoaded
        return await self._compute(source, request, sum(map(len, request.inputs)), partial(_tokens, request))

    async def rerank(self, request: RerankRequest) -> Scores:
        """Computes the scores of a request. If the task is cancelled, the computation ends.

        Raises Unsupported if no reranking model is loaded; NotLoaded if it is unloaded meanwhile; EngineClosed,
        EngineDead, ContextOverflow."""
        ranker = self._embedder
        if ranker is None:
            raise Unsupported("reranking")

        def tokens(source: object, stopped: Callable[[], bool]) -> Sequence[Sequence[int]]:
            prompts = RankPrompts(ranker.rank_format, ranker.tokenize, ranker.limits.n_ctx, request.query, stopped)
            return [prompts.prompt(each, truncate=request.truncate) for each in request.documents]

        inner = EmbedRequest((), request.origin, id=request.id)
        found = await self._compute(ranker, inner, request.n_chars, tokens)
        scores = tuple(vector[0] for vector in found.vectors)
        return Scores(scores, found.n_prompt, ranker.rank_format.has_probabilities)

    async def _compute(
        self, source: Embedder | Backend, request: EmbedRequest, n_chars: int, tokens: Tokens
    ) -> Embeddings:
        cancelled = threading.Event()
        try:
            thread = self._prompts.thread(request.origin, n_chars)
            submitted = thread.submit(self._submit, source, request, tokens, cancelled)
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
        """Publishes that the model has failed and was unloaded. Called on the native thread."""
        self._embedder = None
        self._publish(None)

    async def _invalidate(self) -> None:
        """Stops tokenization with the model, before the model is freed."""
        self._embedder = None
        self._publish(None)
        await self._prompts.drain()

    def _source(self) -> Embedder | Backend | None:
        return self._embedder or self.chat_backend

    def _submit(
        self, source: Embedder | Backend, request: EmbedRequest, tokens: Tokens, cancelled: threading.Event
    ) -> EmbedJob:
        """Tokenizes the inputs and passes them to the native thread.

        This runs on one of the threads that build prompts. The model is freed, and the engine is closed, only after all
        calls of this method have ended. So no job is queued too late."""
        if source is not self._source():
            raise NotLoaded

        def stopped() -> bool:
            return cancelled.is_set() or source is not self._source()

        try:
            inputs = tokens(source, stopped)
            special_tokens = _tokenize(source, stopped)("") if request.truncate else []
        except TokenizationCancelled:
            raise NotLoaded from None
        job = EmbedJob(request, inputs, source, cancelled, special_tokens)
        self._post(partial(self._executor.accept, job))
        return job


def _tokens(request: EmbedRequest, source: Embedder | Backend, stopped: Callable[[], bool]) -> Sequence[Sequence[int]]:
    tokenize = _tokenize(source, stopped)
    return [tokenize(each) if isinstance(each, str) else each for each in request.inputs]


def _tokenize(source: Embedder | Backend, stopped: Callable[[], bool]) -> Callable[[str], list[int]]:
    # If an input contains the text of a control token, it is tokenized as plain text.
    return partial(source.tokenize, add_special=True, parse_special=False, cancelled=stopped)

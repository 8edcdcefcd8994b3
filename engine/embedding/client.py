"""The asking side of embeddings: from the asker's loop to the native thread and back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import SimpleQueue

from engine.backend import Backend, LoadSettings, TokenizationCancelled
from engine.embedding.embedder import Embedder
from engine.embedding.queue import EmbedJob
from engine.errors import EngineClosed, NotLoaded
from engine.events import EmbedderInfo, Embeddings
from engine.inbox import Cancel, Embed, LoadEmbedder, Message, UnloadEmbedder
from engine.requests import EmbedRequest, Origin
from engine.status import StatusPublisher


class EmbeddingClient:
    """`embed` belongs to any thread with a running loop, the rest to the engine's loop, one at a time.

    `chat` is the chat model, while it is loaded and its texts may be tokenised."""

    def __init__(
        self,
        inbox: SimpleQueue[Message],
        pool: Callable[[Origin, int], ThreadPoolExecutor],
        drain: Callable[[], Awaitable[None]],
        board: StatusPublisher,
    ) -> None:
        self._inbox = inbox
        self._pool = pool
        self._drain = drain
        self._board = board
        self._embedder: Embedder | None = None
        self._load_cancelled = threading.Event()
        self.chat: Backend | None = None

    async def load(self, path: Path, settings: LoadSettings) -> EmbedderInfo:
        """Raises what OpenEmbedder does."""
        cancelled = self._load_cancelled = threading.Event()
        await self._withdraw()
        done: Future[Embedder] = Future()
        self._inbox.put(LoadEmbedder(path, settings, done, cancelled))
        try:
            embedder = await asyncio.wrap_future(done)
        except asyncio.CancelledError:
            cancelled.set()
            self._inbox.put(UnloadEmbedder(Future()))  # it may have been loaded a moment before
            raise
        self._embedder = embedder
        self._board.publish_embedder(embedder.info)
        return embedder.info

    def cancel_load(self) -> None:
        """Ends a load that is under way; it raises LoadCancelled."""
        self._load_cancelled.set()

    async def unload(self) -> None:
        await self._withdraw()
        done: Future[None] = Future()
        self._inbox.put(UnloadEmbedder(done))
        await asyncio.wrap_future(done)

    async def embed(self, request: EmbedRequest) -> Embeddings:
        """Raises NotLoaded, EngineDead, ContextOverflow, RequestError. Cancelling the task ends the work."""
        source = self._source()
        if source is None:
            raise NotLoaded
        cancelled = threading.Event()
        try:
            n_chars = sum(map(len, request.inputs))
            asked = self._pool(request.origin, n_chars).submit(self._ask, source, request, cancelled)
        except RuntimeError:  # closed a moment ago
            raise EngineClosed from None
        try:
            job = await asyncio.wrap_future(asked)
            return await asyncio.wrap_future(job.done)
        except asyncio.CancelledError:
            cancelled.set()
            self._inbox.put(Cancel())
            raise

    def close(self) -> None:
        """Nothing is taken any more; what is under way ends on the native thread."""
        self._embedder = self.chat = None

    def lost(self) -> None:
        """The embedding model failed and is gone. Native thread."""
        self._embedder = None
        self._board.publish_embedder(None)

    async def _withdraw(self) -> None:
        """Waits until nothing tokenises with the model that is about to be freed."""
        self._embedder = None
        self._board.publish_embedder(None)
        await self._drain()

    def _source(self) -> Embedder | Backend | None:
        return self._embedder or self.chat

    def _ask(self, source: Embedder | Backend, request: EmbedRequest, cancelled: threading.Event) -> EmbedJob:
        """On a pool's thread: tokens, then over to the native thread. Withdrawing waits for this, so that no job comes
        after its model was freed or the engine was closed."""
        if source is not self._source():
            raise NotLoaded

        def stopped() -> bool:
            return cancelled.is_set() or source is not self._source()

        # An embedded text contains no control tokens, only text that may look like them.
        tokenize = partial(source.tokenize, add_special=True, parse_special=False, cancelled=stopped)
        try:
            around = tokenize("") if request.truncate else []
            inputs = [tokenize(each) if isinstance(each, str) else each for each in request.inputs]
        except TokenizationCancelled:
            raise NotLoaded from None
        job = EmbedJob(request, inputs, source, cancelled, around)
        self._inbox.put(Embed(job))
        return job

"""Runs embedding requests on the native thread (the one that decodes), with the embedding model or, if none is loaded,
with the chat model; and reranking requests with the reranking model."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Literal

from engine.backend import Backend, Embedder, LoadSettings, OpenEmbedder
from engine.embedding.queue import EmbedJob, EmbedQueue
from engine.errors import EngineDead, EngineError, NotLoaded
from engine.redacted_traceback import redacted_traceback

OwnModel = Literal["embedder", "reranker"]
"""A model that is loaded for this purpose only."""

log = logging.getLogger(__name__)


class EmbeddingExecutor:
    """Owns the embedding contexts and computes the queued requests. Used only on the native thread. A failure ends
    embedding requests, but does not affect chats."""

    def __init__(self, open_embedder: OpenEmbedder, on_failure: Callable[[OwnModel], None]) -> None:
        """`on_failure` is called after a model other than the chat model has failed and was unloaded."""
        self._open_embedder = open_embedder
        self._on_failure = on_failure
        self._own_queues: dict[OwnModel, EmbedQueue] = {}
        self._last: EmbedQueue | None = None
        self._chat_queue: EmbedQueue | None = None
        self.chat_backend: Backend | None = None
        """The loaded chat model. Its embedding context is opened at the first embedding request to this model."""

    @property
    def idle(self) -> bool:
        return all(queue.idle for queue in self._queues())

    def load(
        self, kind: OwnModel, path: Path, settings: LoadSettings, cancelled: threading.Event, done: Future[Embedder]
    ) -> None:
        """Replaces the embedding or reranking model. The result of the future `done` is the embedder, an error of
        `engine.backend.OpenEmbedder` (which opens the model), or EngineDead."""
        self.unload(kind, NotLoaded(loading=True))
        if not done.set_running_or_notify_cancel():
            return
        try:
            embedder = self._open_embedder(
                path, settings, lambda progress: not cancelled.is_set(), ranks=kind == "reranker"
            )
        except EngineError as error:
            done.set_exception(error)
        except Exception as error:  # a bug must not end the thread
            log.error("loading the %s failed\n%s", kind, redacted_traceback(error))
            done.set_exception(EngineDead(str(error)))
        else:
            self._own_queues[kind] = EmbedQueue(embedder)
            done.set_result(embedder)

    def unload(self, kind: OwnModel, cause: EngineError, done: Future[None] | None = None) -> None:
        """Frees the embedding or reranking model, even if the future `done` is cancelled. Open requests to the
        model end with `cause`."""
        queue = self._own_queues.pop(kind, None)
        if queue is not None:
            queue.close(cause)
        if done is not None and done.set_running_or_notify_cancel():
            done.set_result(None)

    def release_chat_backend(self, cause: EngineError) -> None:
        """Closes the chat model's embedding context, because the model is about to be freed; open requests to it end
        with `cause`."""
        self.chat_backend = None
        self._close_chat_queue(cause)

    def accept(self, job: EmbedJob) -> None:
        """Queues a job for the model that tokenized it. The job ends with NotLoaded if that model is no longer
        loaded."""
        own = next((queue for queue in self._own_queues.values() if job.source is queue.embedder), None)
        if own is not None:
            own.accept(job)
        elif self.chat_backend is not None and job.source is self.chat_backend:
            self._accept_on_chat(job, self.chat_backend)
        elif job.done.set_running_or_notify_cancel():
            job.done.set_exception(NotLoaded())

    def drop_cancelled(self) -> None:
        for queue in self._queues():
            queue.drop_cancelled()

    def step(self, *, short: bool) -> float:
        """Computes one slice of the queued inputs in one decode, and returns the slice's duration in seconds. With
        `short`, the slice is kept short, because chats wait until the decode ends."""
        busy = [queue for queue in self._queues() if not queue.idle]
        queue = next((queue for queue in busy if queue is not self._last), busy[0])  # they take turns
        self._last = queue
        try:
            return queue.step(short=short)
        except Exception as error:
            log.error("embedding failed\n%s", redacted_traceback(error))
            death = EngineDead(str(error) or type(error).__name__)
            kind = next((kind for kind, own in self._own_queues.items() if own is queue), None)
            if kind is not None:
                self._on_failure(kind)
                self.unload(kind, death)
            else:
                self._close_chat_queue(death)
            return 0.0

    def close(self, cause: EngineError) -> None:
        for kind in tuple(self._own_queues):
            self.unload(kind, cause)
        self.release_chat_backend(cause)

    def _accept_on_chat(self, job: EmbedJob, backend: Backend) -> None:
        if self._chat_queue is None:
            try:
                self._chat_queue = EmbedQueue(backend.open_embedder())
            except Exception as error:
                if not isinstance(error, EngineError):
                    log.error("the chat model's embeddings could not be opened\n%s", redacted_traceback(error))
                if job.done.set_running_or_notify_cancel():
                    job.done.set_exception(error if isinstance(error, EngineError) else EngineDead(str(error)))
                return
        self._chat_queue.accept(job)

    def _close_chat_queue(self, cause: EngineError) -> None:
        queue, self._chat_queue = self._chat_queue, None
        if queue is not None:
            queue.close(cause)

    def _queues(self) -> list[EmbedQueue]:
        return [*self._own_queues.values(), *([self._chat_queue] if self._chat_queue is not None else [])]

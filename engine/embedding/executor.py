"""Runs embedding requests on the native thread (the one that decodes): with the embedding model or, if none is loaded,
with the chat model."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from engine.backend import Backend, Embedder, LoadSettings, OpenEmbedder
from engine.embedding.queue import EmbedJob, EmbedQueue
from engine.errors import EngineDead, EngineError, NotLoaded
from engine.redacted_traceback import redacted_traceback

log = logging.getLogger(__name__)


class EmbeddingExecutor:
    """Owns the embedding contexts and computes the queued requests. Used only on the native thread. A failure ends
    embedding requests, but does not affect chats."""

    def __init__(self, open_embedder: OpenEmbedder, on_failure: Callable[[], None]) -> None:
        """`on_failure` is called after the embedding model has failed and was unloaded."""
        self._open_embedder = open_embedder
        self._on_failure = on_failure
        self._own_queue: EmbedQueue | None = None
        self._chat_queue: EmbedQueue | None = None
        self.chat_backend: Backend | None = None
        """The loaded chat model. Its embedding context is opened at the first embedding request to this model."""

    @property
    def idle(self) -> bool:
        return all(queue.idle for queue in self._queues())

    def load(self, path: Path, settings: LoadSettings, cancelled: threading.Event, done: Future[Embedder]) -> None:
        """Replaces the embedding model. The result of the future `done` is the embedder, an error of
        `engine.backend.OpenEmbedder` (which opens the model), or EngineDead."""
        self.unload(NotLoaded(loading=True))
        if not done.set_running_or_notify_cancel():
            return
        try:
            embedder = self._open_embedder(path, settings, lambda progress: not cancelled.is_set())
        except EngineError as error:
            done.set_exception(error)
        except Exception as error:  # a bug must not end the thread
            log.error("loading the embedding model failed\n%s", redacted_traceback(error))
            done.set_exception(EngineDead(str(error)))
        else:
            self._own_queue = EmbedQueue(embedder)
            done.set_result(embedder)

    def unload(self, cause: EngineError, done: Future[None] | None = None) -> None:
        """Frees the embedding model, even if the future `done` is cancelled. Open requests to the model end with
        `cause`."""
        queue, self._own_queue = self._own_queue, None
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
        if self._own_queue is not None and job.source is self._own_queue.embedder:
            self._own_queue.accept(job)
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
        queue = next(queue for queue in self._queues() if not queue.idle)
        try:
            return queue.step(short=short)
        except Exception as error:
            log.error("embedding failed\n%s", redacted_traceback(error))
            death = EngineDead(str(error) or type(error).__name__)
            if queue is self._own_queue:
                self._on_failure()
                self.unload(death)
            else:
                self._close_chat_queue(death)
            return 0.0

    def close(self, cause: EngineError) -> None:
        self.unload(cause)
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
        return [queue for queue in (self._own_queue, self._chat_queue) if queue is not None]

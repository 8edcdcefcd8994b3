"""Which model embeds: one loaded for it, else the chat model through a context of its own, opened when first asked."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from engine.backend import Backend
from engine.embedding.embedder import OpenEmbedder
from engine.embedding.queue import EmbedJob, EmbedQueue
from engine.errors import EngineDead, EngineError, NotLoaded
from engine.inbox import LoadEmbedder
from engine.redacted_traceback import redacted_traceback

log = logging.getLogger(__name__)


class EmbeddingExecutor:
    """Native thread only. A failure here ends embedding requests, and leaves chats alone. `on_loss` hears of it where
    it takes the embedding model."""

    def __init__(self, open_embedder: OpenEmbedder, on_loss: Callable[[], None]) -> None:
        self._open_embedder = open_embedder
        self._on_loss = on_loss
        self._own: EmbedQueue | None = None
        self._chat: EmbedQueue | None = None

    @property
    def idle(self) -> bool:
        return all(queue.idle for queue in self._queues())

    def load(self, message: LoadEmbedder) -> None:
        self.unload(NotLoaded(loading=True))
        if not message.done.set_running_or_notify_cancel():
            return
        try:
            embedder = self._open_embedder(message.path, message.settings, _until(message.cancelled))
        except EngineError as error:
            message.done.set_exception(error)
        except Exception as error:
            log.error("loading the embedding model failed\n%s", redacted_traceback(error))
            message.done.set_exception(EngineDead(str(error)))
        else:
            self._own = EmbedQueue(embedder)
            message.done.set_result(embedder)

    def unload(self, cause: EngineError) -> None:
        """Frees the embedding model; its requests end with `cause`."""
        own, self._own = self._own, None
        if own is not None:
            own.close(cause)

    def release_chat(self, cause: EngineError) -> None:
        """Lets go of the chat model, which is about to be freed."""
        chat, self._chat = self._chat, None
        if chat is not None:
            chat.close(cause)

    def accept(self, job: EmbedJob, backend: Backend | None) -> None:
        """Takes in a job that was tokenised by the embedding model or by the chat model, if that is still there."""
        if self._own is not None and job.source is self._own.embedder:
            self._own.accept(job)
        elif backend is not None and job.source is backend:
            self._accept_by_chat(job, backend)
        elif job.done.set_running_or_notify_cancel():
            job.done.set_exception(NotLoaded())

    def drop_cancelled(self) -> None:
        for queue in self._queues():
            queue.drop_cancelled()

    def step(self, *, watched: bool) -> float:
        """One slice of whoever has work; seconds that it took."""
        queue = next(queue for queue in self._queues() if not queue.idle)
        try:
            return queue.step(watched=watched)
        except Exception as error:
            log.error("embedding failed\n%s", redacted_traceback(error))
            death = EngineDead(str(error) or type(error).__name__)
            if queue is self._own:
                self._on_loss()
                self.unload(death)
            else:
                self.release_chat(death)
            return 0.0

    def close(self, cause: EngineError) -> None:
        self.unload(cause)
        self.release_chat(cause)

    def _accept_by_chat(self, job: EmbedJob, backend: Backend) -> None:
        if self._chat is None:
            try:
                self._chat = EmbedQueue(backend.open_embedder())
            except Exception as error:
                if not isinstance(error, EngineError):
                    log.error("the chat model's embeddings could not be opened\n%s", redacted_traceback(error))
                if job.done.set_running_or_notify_cancel():
                    job.done.set_exception(error if isinstance(error, EngineError) else EngineDead(str(error)))
                return
        self._chat.accept(job)

    def _queues(self) -> list[EmbedQueue]:
        return [queue for queue in (self._own, self._chat) if queue is not None]


def _until(cancelled: threading.Event) -> Callable[[float], bool]:
    return lambda progress: not cancelled.is_set()

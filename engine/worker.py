"""The native thread: it owns the model, and hears of the rest through its inbox. Nothing else touches the context."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from queue import Empty, SimpleQueue

from engine.backend import Backend, OpenBackend
from engine.embedding.executor import EmbeddingExecutor
from engine.errors import EngineClosed, EngineDead, EngineError, LoadCancelled, NotLoaded
from engine.events import Failed, KvUsage
from engine.inbox import Cancel, Close, Embed, Load, LoadEmbedder, Message, Submit, Unload, UnloadEmbedder
from engine.kv_cache.snapshot_store import SnapshotStore
from engine.redacted_traceback import redacted_traceback
from engine.request_state import RequestRegistry, RequestState
from engine.session import Session

log = logging.getLogger(__name__)

SWITCH_S = 0.0005


class Worker:
    """Runs on one thread, from `run()` until a `Close` comes. Others speak to it through `inbox`."""

    def __init__(
        self,
        open_backend: OpenBackend,
        open_snapshots: Callable[[Backend], SnapshotStore | None],
        book: RequestRegistry,
        on_progress: Callable[[float], bool],
        on_death: Callable[[EngineDead], None],
        desk: EmbeddingExecutor,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.inbox: SimpleQueue[Message] = SimpleQueue()
        self._open_backend = open_backend
        self._open_snapshots = open_snapshots
        self._book = book
        self._on_progress = on_progress
        self._on_death = on_death
        self._desk = desk
        self._embeds_next = False
        self._clock = clock
        self._session: Session | None = None
        self._absence: EngineError = NotLoaded()
        """Why there is no session, where there is none."""

    @property
    def kv_usage(self) -> tuple[KvUsage, ...]:
        """As `Session.kv_usage`; none where no model is loaded. Any thread."""
        session = self._session
        return session.kv_usage if session is not None else ()

    def run(self) -> None:
        """The thread's whole life."""
        # A thread that computes keeps Python's lock for 5 ms before it gives way; a whole token is written in 7.
        sys.setswitchinterval(SWITCH_S)
        while True:
            session = self._session
            busy = (session is not None and not session.idle) or not self._desk.idle
            for message in self._receive(wait=not busy):
                if isinstance(message, Close):
                    self._free(EngineClosed())
                    self._desk.close(EngineClosed())
                    return
                self._handle(message)
            self._work()

    def _work(self) -> None:
        """A step, or a slice of embeddings; in turn where there are both, and while the window answers only when it
        has had its share."""
        session = self._session if self._session is not None and not self._session.idle else None
        spares = session is None or session.has_spare_time
        if not self._desk.idle and (session is None or (self._embeds_next and spares)):
            seconds = self._desk.step(watched=session is not None)
            if session is not None:
                session.charge(seconds)
            self._embeds_next = False
        elif session is not None:
            self._step_or_die(session)
            self._embeds_next = self._embeds_next or spares

    def _receive(self, wait: bool) -> list[Message]:
        messages = [self.inbox.get()] if wait else []
        try:
            while True:
                messages.append(self.inbox.get_nowait())
        except Empty:
            return messages

    def _handle(self, message: Message) -> None:
        match message:
            case Load():
                self._load(message)
            case Unload(done=done):
                self._free(NotLoaded())
                if done.set_running_or_notify_cancel():
                    done.set_result(None)
            case Submit():
                self._submit(message)
            case Embed(job=job):
                self._desk.accept(job, self._session.backend if self._session else None)
            case LoadEmbedder():
                self._desk.load(message)
            case UnloadEmbedder(done=done):
                self._desk.unload(NotLoaded())
                if done.set_running_or_notify_cancel():
                    done.set_result(None)
            case Cancel():
                self._guard(Session.drop_cancelled)
                self._desk.drop_cancelled()

    def _submit(self, message: Submit) -> None:
        """Tokens of another model than the one in memory are never computed."""
        session, state = self._session, message.state
        if session is None:
            self._book.close(state, Failed(self._absence))
        elif session.backend is not message.backend:
            self._book.close(state, Failed(NotLoaded()))
        else:
            self._guard(lambda session: session.accept(state))

    def _load(self, message: Load) -> None:
        self._free(NotLoaded(loading=True))
        if not message.done.set_running_or_notify_cancel():
            return
        try:
            session = self._open(message)
        except EngineError as error:
            message.done.set_exception(error)
        except Exception as error:  # a bug of ours or llama.cpp's: `load` must raise, the thread must live
            log.error("loading failed\n%s", redacted_traceback(error))
            message.done.set_exception(EngineDead(str(error)))
        else:
            self._session = session
            message.done.set_result(session.backend)

    def _open(self, message: Load) -> Session:
        with ExitStack() as undo:
            backend = self._open_backend(message.path, message.settings, self._on_progress)
            undo.callback(backend.close)
            if not self._on_progress(1.0):
                raise LoadCancelled
            snapshots = self._open_snapshots(backend)
            if snapshots is not None:
                undo.callback(snapshots.close)

            def resubmit(state: RequestState) -> None:
                self.inbox.put(Submit(state, backend))

            session = Session(backend, self._book, snapshots, resubmit, self._clock)
            undo.pop_all()
        return session

    def _step_or_die(self, session: Session) -> None:
        self._guard(Session.step)
        if self._session is session and session.idle:
            self._guard(Session.save_all)

    def _guard(self, act: Callable[[Session], None]) -> None:
        """Does something with the session; whatever goes wrong in it ends the session, not the thread."""
        if self._session is None:
            return
        try:
            act(self._session)
        except Exception as error:
            log.error("the native thread failed\n%s", redacted_traceback(error))
            death = EngineDead(str(error) or type(error).__name__)
            self._on_death(death)  # first, so that nobody who hears of it finds the engine still "ready"
            self._free(death)

    def _free(self, cause: EngineError) -> None:
        """Ends every request with `cause` and frees the model."""
        session, self._session, self._absence = self._session, None, cause
        try:
            self._desk.release_chat(cause)
        finally:
            if session is not None:
                session.close(cause)

"""The native thread: it loads models, decodes, and owns the chat model and the embedding contexts. Other threads queue
actions for it."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from engine.backend import Backend, CardFailure, LoadSettings, OpenBackend
from engine.embedding.executor import EmbeddingExecutor
from engine.errors import CardLost, EngineClosed, EngineDead, EngineError, LoadCancelled, NotLoaded
from engine.events import Failed
from engine.kv_cache.snapshot_store import SnapshotStore
from engine.priority import Priority
from engine.redacted_traceback import redacted_traceback
from engine.request_state import RequestRegistry, RequestState
from engine.session import Session
from engine.status import KvUsage
from engine.step_arbiter import StepArbiter
from engine.step_interruption import StepInterruption

T = TypeVar("T")

log = logging.getLogger(__name__)

SWITCH_INTERVAL_S = 0.0005


class Worker:
    """Runs the native thread, from `run` until `close`. Public methods other than `run` may be called on any thread."""

    def __init__(
        self,
        open_backend: OpenBackend,
        open_snapshots: Callable[[Backend], SnapshotStore],
        registry: RequestRegistry,
        embedding: EmbeddingExecutor,
        on_progress: Callable[[float], bool],
        on_death: Callable[[EngineDead], None],
        on_first_step: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        arbiter: StepArbiter | None = None,
    ) -> None:
        """`on_progress` gets the loaded share, 0..1, and returns False to cancel a load. `on_death` gets the failure
        that ends a session. `on_first_step` is called after the first step of each loaded model that did not fail.
        All are called on the native thread. `arbiter` lets this engine and others take turns."""
        self._actions: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._open_backend = open_backend
        self._open_snapshots = open_snapshots
        self._registry = registry
        self._embedding = embedding
        self._on_progress = on_progress
        self._on_death = on_death
        self._on_first_step = on_first_step
        self._awaits_first_step = False
        self._clock = clock
        self._turns = (arbiter or StepArbiter()).join(
            lambda: self._interrupt(StepInterruption.outranked), self._give_way
        )
        self._takes_turns = True
        """Whether the processor computes the loaded chat model."""
        self._embeds_next = False
        self._closed = threading.Event()
        self._session: Session | None = None
        self._no_session_error: EngineError = NotLoaded()

    def post(self, action: Callable[[], None]) -> None:
        """Runs `action` on the native thread, after all actions that were posted earlier."""
        self._actions.put(action)

    def call(self, function: Callable[[], T]) -> Future[T]:
        """Calls `function` on the native thread. The returned future has its result, or its exception."""
        done: Future[T] = Future()
        self.post(partial(_fulfil, done, function))
        return done

    def load(self, path: Path, settings: LoadSettings) -> Future[Backend]:
        """Replaces the chat model. The returned future raises the errors of OpenBackend, or EngineDead."""
        done: Future[Backend] = Future()
        self.post(partial(self._load, path, settings, done))
        self._interrupt(StepInterruption.closing)
        return done

    def unload(self) -> Future[None]:
        """Frees the chat model, even if the returned future is cancelled; open requests end with NotLoaded."""
        done: Future[None] = Future()
        self.post(partial(self._unload, done))
        self._interrupt(StepInterruption.closing)
        return done

    def submit(self, state: RequestState, backend: Backend) -> None:
        """Runs a request whose prompt `backend` has tokenized. The request ends with NotLoaded if that backend is
        unloaded by then."""
        self.post(partial(self._submit, state, backend))
        self._interrupt(lambda interruption: interruption.submitted(state))

    def drop_cancelled(self) -> None:
        """Ends the requests whose `cancelled` is set."""
        self.post(self._drop_cancelled)
        self._interrupt(StepInterruption.cancelled)

    def forget(self, owners: Collection[str]) -> None:
        """Removes the cached prefixes and saved KV states of the given owners from memory."""
        self.post(partial(self._guard, lambda session: session.forget(owners)))

    def close(self) -> None:
        """Frees the models and ends `run`; all requests end with EngineClosed."""
        self.post(self._close)
        self._interrupt(StepInterruption.closing)

    def _interrupt(self, action: Callable[[StepInterruption], None]) -> None:
        """Calls `action`, which may interrupt the decode in progress, so that the native thread executes queued actions
        earlier. May be called on any thread."""
        session = self._session
        if session is not None:
            action(session.interruption)

    @property
    def kv_usage(self) -> tuple[KvUsage, ...]:
        """Shares of the KV memory by owner. Empty if no model is loaded."""
        session = self._session
        return session.kv_usage if session is not None else ()

    def run(self) -> None:
        """Runs queued actions, decode steps and embedding slices until `close`. This is the body of the native
        thread."""
        # With the default of 5 ms, this thread waits that long for the GIL while another thread computes. Decoding a
        # token takes only 7 ms.
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        try:
            self._run()
        finally:
            self._turns.leave()  # after a bug, too, the other engines go on

    def _run(self) -> None:
        while not self._closed.is_set():
            session = self._session
            busy = (session is not None and not session.idle) or not self._embedding.idle
            if not busy:
                self._turns.release()
            actions = self._receive(wait=not busy)
            if actions:
                self._turns.release()
            for action in actions:
                action()
                if self._closed.is_set():
                    return
            self._work()

    def _has_actions(self) -> bool:
        return not self._actions.empty() or self._turns.is_outranked

    def _receive(self, *, wait: bool) -> list[Callable[[], None]]:
        actions = [self._actions.get()] if wait else []
        while not self._actions.empty():  # no other thread takes actions
            actions.append(self._actions.get())
        return actions

    def _work(self) -> None:
        """Runs one step of the session (the loaded chat model), or one decode of embeddings. Steps and decodes of
        embeddings alternate, except that embeddings wait until an answer in the app's window has had its share of the
        time."""
        session = self._session if self._session is not None and not self._session.idle else None
        if self._embedding.idle:
            if session is not None:
                self._step(session)
                self._embeds_next = True
            return
        has_spare_time = session is None or session.has_spare_time
        if session is None or (self._embeds_next and has_spare_time):
            if session is not None:
                session.flush_events()
            self._turns.begin(lambda: Priority.ENDPOINT)
            try:
                seconds = self._embedding.step(short=session is not None)
            finally:
                self._turns.end(self._priority)
            if session is not None:
                session.charge(seconds)
            self._embeds_next = False
        else:
            self._step(session)
            self._embeds_next = self._embeds_next or has_spare_time

    def _step(self, session: Session) -> None:
        if self._takes_turns:
            self._turns.begin(lambda: session.priority)
            try:
                self._guard(Session.step)
            finally:
                self._turns.end(self._priority)
        else:
            self._turns.release()
            self._guard(Session.step)
        if self._awaits_first_step and self._session is session:
            self._awaits_first_step = False
            self._on_first_step()
        if self._session is session and session.idle:
            self._guard(Session.save_due_snapshots)

    def _give_way(self) -> None:
        if self._session is not None:
            self._session.backend.free_threads()

    def _priority(self) -> Priority | None:
        """The highest priority of the requests that the processor computes; None if there are none."""
        session = self._session
        if session is not None and not session.idle and self._takes_turns:
            return session.priority
        return None if self._embedding.idle else Priority.ENDPOINT

    def _guard(self, action: Callable[[Session], None]) -> None:
        """Calls `action` with the session, if there is one. An exception ends the session, but not the thread."""
        if self._session is None:
            return
        try:
            action(self._session)
        except Exception as error:
            log.error("the native thread failed\n%s", redacted_traceback(error))
            kind = CardLost if isinstance(error, CardFailure) else EngineDead
            death = kind(str(error) or type(error).__name__)
            self._on_death(death)  # `on_death` is called first, so that the status is "dead" before any request ends
            self._free_session(death)

    def _load(self, path: Path, settings: LoadSettings, done: Future[Backend]) -> None:
        self._free_session(NotLoaded(loading=True))
        if not done.set_running_or_notify_cancel():
            return
        try:
            session = self._open_session(path, settings)
        except EngineError as error:
            done.set_exception(error)
        except Exception as error:  # a bug must not end the thread
            log.error("loading failed\n%s", redacted_traceback(error))
            done.set_exception(EngineDead(str(error)))
        else:
            self._session = session
            memory = session.backend.info.memory
            self._takes_turns = memory is None or not memory.offload.is_whole
            self._awaits_first_step = True
            self._embedding.chat_backend = session.backend
            done.set_result(session.backend)

    def _open_session(self, path: Path, settings: LoadSettings) -> Session:
        with ExitStack() as undo:
            backend = self._open_backend(path, settings, self._on_progress)
            undo.callback(backend.close)
            if not self._on_progress(1.0):
                raise LoadCancelled
            snapshots = self._open_snapshots(backend)
            undo.callback(snapshots.close)
            session = Session(
                backend,
                self._registry,
                snapshots,
                lambda state: self.submit(state, backend),
                self._clock,
                self._has_actions,
            )
            undo.pop_all()
        return session

    def _unload(self, done: Future[None]) -> None:
        self._free_session(NotLoaded())
        if done.set_running_or_notify_cancel():
            done.set_result(None)

    def _submit(self, state: RequestState, backend: Backend) -> None:
        if self._session is None:
            self._registry.close(state, Failed(self._no_session_error))
        elif self._session.backend is not backend:
            self._registry.close(state, Failed(NotLoaded()))
        else:
            self._guard(lambda session: session.accept(state))

    def _drop_cancelled(self) -> None:
        self._guard(Session.drop_cancelled)
        self._embedding.drop_cancelled()

    def _close(self) -> None:
        self._closed.set()
        self._turns.leave()
        self._free_session(EngineClosed())
        self._embedding.close(EngineClosed())

    def _free_session(self, cause: EngineError) -> None:
        """Frees the chat model, and ends its open requests with `cause`."""
        session, self._session, self._no_session_error = self._session, None, cause
        try:
            self._embedding.release_chat_backend(cause)
        finally:
            if session is not None:
                session.close(cause)


def _fulfil(done: Future[T], function: Callable[[], T]) -> None:
    if done.set_running_or_notify_cancel():
        try:
            done.set_result(function())
        except Exception as error:
            done.set_exception(error)

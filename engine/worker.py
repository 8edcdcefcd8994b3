"""The native thread: inbox → plan → decode → sample → events. Nothing else touches the context."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from engine.backend import Backend, NativeFailure, NoRoom, OpenBackend, Sampler
from engine.errors import ContextOverflow, EngineClosed, EngineDead, EngineError, LoadCancelled, NotLoaded
from engine.events import Event, Failed, FinishReason, Started, TextDelta
from engine.inbox import Cancel, Close, Load, Message, Submit, Unload
from engine.output.assembler import TextAssembler
from engine.schedule.scheduler import BatchPlan, Sampled, Scheduler
from engine.schedule.sequence import Sequence
from engine.schedule.threads import ThreadCounts
from engine.ticket import Ticket, TicketBook

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Work:
    """One running request, as the worker holds it."""

    ticket: Ticket
    sequence: Sequence
    sampler: Sampler
    text: TextAssembler
    n_unsaid: int = 0
    """Tokens sampled since the last text was sent."""

    def delta(self, text: str) -> list[Event]:
        if not text:
            return []
        n_tokens, self.n_unsaid = self.n_unsaid, 0
        return [TextDelta(text, n_tokens)]


class Worker:
    """Runs on one thread, from `run()` until a `Close` comes. Others speak to it through `inbox`."""

    def __init__(
        self,
        open_backend: OpenBackend,
        book: TicketBook,
        on_progress: Callable[[float], bool],
        on_death: Callable[[EngineDead], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.inbox: SimpleQueue[Message] = SimpleQueue()
        self._open_backend = open_backend
        self._book = book
        self._on_progress = on_progress
        self._on_death = on_death
        self._clock = clock
        self._backend: Backend | None = None
        self._scheduler: Scheduler | None = None
        self._threads = ThreadCounts((1,))
        self._works: dict[str, _Work] = {}

    def run(self) -> None:
        """The thread's whole life."""
        while True:
            busy = self._scheduler is not None and not self._scheduler.idle
            for message in self._receive(wait=not busy):
                if isinstance(message, Close):
                    self._free(EngineClosed())
                    return
                self._handle(message)
            if self._scheduler is not None and not self._scheduler.idle:
                self._step_or_die(self._scheduler)

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
            case Submit(ticket=ticket):
                self._accept(ticket)
            case Cancel():
                self._drop_cancelled()

    def _load(self, message: Load) -> None:
        self._free(NotLoaded(loading=True))
        if not message.done.set_running_or_notify_cancel():
            return
        try:
            backend = self._open_backend(message.path, message.settings, self._on_progress)
            if not self._on_progress(1.0):
                backend.close()
                raise LoadCancelled
        except EngineError as error:
            message.done.set_exception(error)
        except Exception as error:  # a bug of ours or llama.cpp's: the asker must hear of it, the thread must live
            log.exception("loading failed")
            message.done.set_exception(EngineDead(str(error)))
        else:
            self._backend = backend
            self._threads = ThreadCounts(backend.limits.thread_counts)
            self._scheduler = Scheduler(backend.limits, backend.vocabulary.ends)
            message.done.set_result(backend)

    def _accept(self, ticket: Ticket) -> None:
        if ticket.cancelled.is_set():
            self._book.close(ticket, ticket.finished("cancelled", self._clock()))
            return
        if self._backend is None or self._scheduler is None:
            self._book.close(ticket, Failed(NotLoaded()))
            return
        n_cells = self._backend.limits.n_cells
        if len(ticket.prompt) >= n_cells:  # another model was loaded since it was prepared
            self._book.close(ticket, Failed(ContextOverflow(len(ticket.prompt), n_cells)))
            return
        request = ticket.request
        sequence = Sequence(request.id, request.door, ticket.prompt, request.max_tokens or n_cells)
        sampler = self._backend.sampler(request.sampling, ticket.prompt)
        self._works[request.id] = _Work(ticket, sequence, sampler, TextAssembler(request.stop))
        self._scheduler.add(sequence)

    def _drop_cancelled(self) -> None:
        for work in [work for work in self._works.values() if work.ticket.cancelled.is_set()]:
            self._end(work, "cancelled", [])

    def _step_or_die(self, scheduler: Scheduler) -> None:
        try:
            self._step(scheduler)
        except Exception as error:
            log.exception("the native thread failed")
            death = EngineDead(str(error) or type(error).__name__)
            self._on_death(death)  # first, so that nobody who hears of it finds the engine still "ready"
            self._free(death)

    def _step(self, scheduler: Scheduler) -> None:
        backend = self._backend
        if backend is None:
            raise AssertionError("a scheduler without a backend")
        plan = self._decode(backend, scheduler)
        sampled = {
            entry.sequence.id: self._works[entry.sequence.id].sampler.sample(entry.row)
            for entry in plan.entries
            if entry.chunk.samples
        }
        for outcome in scheduler.commit(plan, sampled):
            self._tell(backend, outcome)

    def _decode(self, backend: Backend, scheduler: Scheduler) -> BatchPlan:
        while True:
            plan = scheduler.plan(backend.limits.n_batch)
            for slot in plan.cleared:
                backend.clear(slot)
            started = self._clock()
            for entry in plan.entries:
                ticket = self._works[entry.sequence.id].ticket
                ticket.admitted_at = started if ticket.admitted_at is None else ticket.admitted_at
            try:
                backend.decode([entry.chunk for entry in plan.entries], self._threads.choose(plan.n_tokens))
            except NoRoom:
                if not scheduler.preempt():
                    raise NativeFailure("the KV memory has no room for a single sequence") from None
            else:
                self._threads.record(plan.n_tokens, self._clock() - started)
                return plan

    def _tell(self, backend: Backend, outcome: Sampled) -> None:
        """Turns one sampled token into events."""
        work = self._works[outcome.sequence.id]
        ticket = work.ticket
        events: list[Event] = []
        if ticket.first_token_at is None:
            ticket.first_token_at = self._clock()
            events.append(Started(len(ticket.prompt), ticket.n_cached))
        ticket.n_output += 1
        work.n_unsaid += 1
        text, stopped = ("", False) if outcome.finish == "stop" else work.text.feed(backend.piece(outcome.token))
        if stopped:
            self._end(work, "stop", [*events, *work.delta(text)])
        elif outcome.finish:
            self._end(work, outcome.finish, [*events, *work.delta(text + work.text.flush())])
        elif events or text:
            ticket.send([*events, *work.delta(text)])

    def _end(self, work: _Work, reason: FinishReason, events: list[Event]) -> None:
        """Takes a request out and sends its last events."""
        if self._scheduler is not None:
            self._scheduler.remove(work.sequence)
        work.sampler.close()
        del self._works[work.sequence.id]
        if reason == "cancelled":
            events = [*events, *work.delta(work.text.flush())]
        self._book.close(work.ticket, work.ticket.finished(reason, self._clock()), events)

    def _free(self, cause: EngineError) -> None:
        """Ends every request with `cause` and frees the model."""
        for work in self._works.values():
            work.sampler.close()
            cancelled = work.ticket.cancelled.is_set()
            last = work.ticket.finished("cancelled", self._clock()) if cancelled else Failed(cause)
            self._book.close(work.ticket, last, work.delta(work.text.flush()))
        self._works.clear()
        self._scheduler = None
        backend, self._backend = self._backend, None
        if backend is not None:
            backend.close()

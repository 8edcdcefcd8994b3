"""One loaded model at work: plan → move → decode → sample → events."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache, partial

from engine.backend import Backend, NativeFailure, NoRoom
from engine.cache.keeping import Keeping
from engine.cache.mover import Mover
from engine.cache.prefixes import MIN_SAVED
from engine.cache.snapshots import SnapshotStore
from engine.errors import ConstraintError, ContextOverflow, EngineDead, EngineError, NoRoomBeside
from engine.events import Event, Failed, FinishReason, Holding
from engine.output.spelling import Spelling
from engine.schedule.pacing import Pacer
from engine.schedule.plan import BatchPlan, Sampled
from engine.schedule.ranks import BACKGROUND, ENDPOINT, WINDOW
from engine.schedule.scheduler import Scheduler
from engine.schedule.sequence import Sequence
from engine.schedule.threads import ThreadCounts
from engine.stream import RequestStream, deliver_all
from engine.ticket import Ticket, TicketBook
from engine.trace import way_of
from engine.work import Work

log = logging.getLogger(__name__)


class Session:
    """Native thread only. `resubmit` is called, from any thread, when a ticket that waited for a snapshot may come
    again."""

    def __init__(
        self,
        backend: Backend,
        book: TicketBook,
        snapshots: SnapshotStore | None,
        resubmit: Callable[[Ticket], None],
        clock: Callable[[], float],
    ) -> None:
        self._backend = backend
        self._book = book
        self._snapshots = snapshots
        self._resubmit = resubmit
        self._clock = clock
        self._scheduler = Scheduler(backend.limits, backend.vocabulary.ends, snapshots)
        self._threads = ThreadCounts(backend.limits.thread_counts)
        self._pacer = Pacer(backend.limits.n_batch)
        self._works: dict[str, Work] = {}
        self._restoring: set[Ticket] = set()
        """Wait until their snapshot is read from disk."""
        usual_tokens = partial(backend.tokenize, add_special=False, parse_special=False)
        self._usual_tokens = lru_cache(4096)(usual_tokens)  # the same words are tokenised often
        self._keeping = Keeping(backend, self._scheduler.cache, snapshots)
        self._mover = Mover(backend, snapshots)

    @property
    def idle(self) -> bool:
        return self._scheduler.idle

    @property
    def spares_time(self) -> bool:
        """Whether something else may be done between two steps, which is then told to `charge`."""
        return not self._scheduler.window_answers or self._pacer.rested

    def charge(self, seconds: float) -> None:
        if self._scheduler.window_answers:
            self._pacer.charge(seconds)

    @property
    def holdings(self) -> tuple[Holding, ...]:
        """Who holds what of the KV memory. Any thread."""
        n_cells = self._backend.limits.n_cells
        return tuple(
            Holding("endpoint" if rank == ENDPOINT else "window", owner, n / n_cells)
            for (rank, owner), n in self._scheduler.cache.held_by().items()
            if n
        )

    @property
    def backend(self) -> Backend:
        return self._backend

    def accept(self, ticket: Ticket) -> None:
        """Takes a prepared request in, or sends it to wait for its snapshot."""
        n_cells = self._backend.limits.n_cells
        self._restoring.discard(ticket)
        if ticket.cancelled.is_set():
            self._book.close(ticket, ticket.finished("cancelled", self._clock()))
        elif len(ticket.prompt) >= n_cells:  # the Preparer checks this; only the tests' fake does not
            self._book.close(ticket, Failed(ContextOverflow(len(ticket.prompt), n_cells)))
        elif not self._waits_for_snapshot(ticket):
            request = ticket.request
            rank = BACKGROUND if request.background else WINDOW if request.door == "window" else ENDPOINT
            max_tokens = request.max_tokens or n_cells
            sequence = Sequence(
                request.id,
                rank,
                ticket.prompt,
                max_tokens,
                scored=request.prompt_logprobs,
                owner=request.owner,
                is_repeatable=request.sampling.is_repeatable,
                uses_cache=request.use_cache,
            )
            spelling = self._spelling(ticket)
            try:
                sampler = self._backend.sampler(request.sampling, ticket.prompt)
            except Exception as error:  # concerns this request only
                log.error("the sampler could not be made\n%s", way_of(error))
                self._book.close(ticket, Failed(EngineError(f"the sampler failed: {type(error).__name__}")))
                return
            ticket.sequence = sequence
            self._works[request.id] = Work(ticket, sequence, sampler, spelling)
            self._scheduler.add(sequence)

    def _spelling(self, ticket: Ticket) -> Spelling | None:
        """None where words stay as they were written."""
        backend = self._backend
        if not (backend.vocabulary.splits_words and backend.limits.cuts_freely):
            return None
        return Spelling(self._usual_tokens, backend.piece, len(ticket.prompt))

    def drop_cancelled(self) -> None:
        for ticket in [each for each in self._restoring if each.cancelled.is_set()]:
            self._restoring.discard(ticket)
            self._book.close(ticket, ticket.finished("cancelled", self._clock()))
        for work in [work for work in self._works.values() if work.ticket.cancelled.is_set()]:
            self._end(work, "cancelled", [])

    def step(self) -> None:
        """One decode and its events. Raises NativeFailure."""
        for work in self._works.values():
            if work.respelled is not None:
                self._scheduler.respell(work.sequence, *work.respelled)
                work.respelled = None
        plan = self._decode()
        for entry in plan.entries:
            n, work = len(entry.chunk.tokens), self._works[entry.sequence.id]
            work.ticket.n_read = entry.chunk.start + n
            if entry.chunk.scored:
                work.score_prompt(self._backend, entry.row - n + 1, entry.chunk.start, n)
        sampled, failed = self._sample(plan)
        self._note_what_was_read(plan)
        deliver_all([each for outcome in self._scheduler.commit(plan, sampled) if (each := self._told(outcome))])
        for work, error in failed:
            self._fail(work, error)
        for sequence in self._scheduler.take_refused():
            self._fail(self._works[sequence.id], NoRoomBeside(len(sequence.tokens)))
        self._save_some()

    def save_all(self) -> None:
        """Takes the snapshots that were put off. When nothing runs."""
        self._save_some()

    def close(self, cause: EngineError) -> None:
        """Ends every request with `cause`, saves what can be, and frees the model."""
        self._end_all(cause)
        if self._snapshots is not None:
            try:
                if not isinstance(cause, EngineDead):
                    self._keeping.save_last()
                self._snapshots.close()
            except Exception as error:  # too little memory for a copy, say: the model must be freed all the same
                log.error("the last snapshots could not be taken\n%s", way_of(error))
        self._backend.close()

    def _end_all(self, cause: EngineError) -> None:
        works, self._works = self._works, {}
        restoring, self._restoring = self._restoring, set()
        for work in works.values():
            rest: list[Event] = []
            try:
                work.sampler.close()
                rest = work.rest()
            except Exception as error:  # the others must end too
                log.error("a request could not be ended in order\n%s", way_of(error))
            self._end_for(work.ticket, cause, rest)
        for ticket in restoring:
            self._end_for(ticket, cause, [])

    def _end_for(self, ticket: Ticket, cause: EngineError, rest: list[Event]) -> None:
        cancelled = ticket.cancelled.is_set()
        last = ticket.finished("cancelled", self._clock()) if cancelled else Failed(cause)
        self._book.close(ticket, last, rest)

    def _sample(self, plan: BatchPlan) -> tuple[dict[str, int], list[tuple[Work, ConstraintError]]]:
        """A token for each entry that asked for one, by id, and the works whose constraint could not be kept."""
        sampled, failed = {}, []
        for entry in plan.entries:
            if entry.chunk.samples:
                work = self._works[entry.sequence.id]
                try:
                    sampled[entry.sequence.id] = work.sample(self._backend, entry.row)
                except ConstraintError as error:
                    failed.append((work, error))
        return sampled, failed

    def _decode(self) -> BatchPlan:
        """Computes the next plan. One without entries where only somebody was refused."""
        while True:
            self._see_what_is_held()
            window_answers = self._scheduler.window_answers
            allowance = self._pacer.allowance(window_answers, window_waits=self._scheduler.window_waits)
            plan = self._scheduler.plan(allowance)
            if not self._moved(plan):
                continue
            if not plan.entries:
                return plan
            repeatable = all(entry.sequence.is_repeatable for entry in plan.entries)
            # Another thread count rounds differently: for those it is changed only where steps have become slow.
            watched = repeatable or (window_answers and plan.n_prompt_tokens > 0)
            n_threads = self._threads.choose(plan.n_tokens, watched=watched)
            started = self._clock()
            self._mark_admitted(plan, started)
            try:
                self._backend.decode([entry.chunk for entry in plan.entries], n_threads)
            except NoRoom:
                self._scheduler.roll_back(plan)
                if not self._scheduler.make_way():
                    raise NativeFailure("the KV memory has no room for a single sequence") from None
                continue
            seconds = self._clock() - started
            self._threads.record(plan.n_tokens, seconds, watched=watched)
            self._pacer.record(plan.n_prompt_tokens, seconds, window_answers)
            return plan

    def _see_what_is_held(self) -> None:
        """Before somebody is given a place: with a sliding window, prefixes lose their beginnings to others."""
        if self._backend.limits.window and self._scheduler.waiting:
            for prefix in self._scheduler.cache.prefixes:
                prefix.held_from = self._backend.held_from(prefix.slot)

    def _mark_admitted(self, plan: BatchPlan, now: float) -> None:
        for entry in plan.entries:
            ticket = self._works[entry.sequence.id].ticket
            if ticket.admitted_at is None:
                ticket.admitted_at, ticket.n_cached = now, entry.sequence.n_cached

    def _moved(self, plan: BatchPlan) -> bool:
        """Does a plan's moves. False where one could not be done, so that the plan no longer holds."""
        failed = self._mover.move_all(plan.moves)
        if failed:
            self._scheduler.roll_back(plan)
        for slot in failed:
            self._scheduler.forget(slot)
        return not failed

    def _waits_for_snapshot(self, ticket: Ticket) -> bool:
        """Whether more of the prompt lies on disk than in memory; then it comes again when that was read."""
        if (
            self._snapshots is None
            or ticket.snapshot_sought
            or ticket.request.prompt_logprobs
            or not ticket.request.use_cache
        ):
            return False
        tokens = list(ticket.prompt[:-1])
        known = self._scheduler.cache.match(tokens)[1] if tokens else 0
        in_memory = self._snapshots.find(tokens)
        key = self._snapshots.wanted(tokens, max(known, len(in_memory[1]) if in_memory else 0) + MIN_SAVED)
        if key is None:
            return False
        ticket.snapshot_sought = True
        self._restoring.add(ticket)
        self._snapshots.fetch(key, lambda: self._resubmit(ticket))
        return True

    def _note_what_was_read(self, plan: BatchPlan) -> None:
        """A long prompt that is now read: a crash in the middle of its answer must not cost reading it again."""
        for entry in plan.entries:
            sequence = entry.sequence
            if entry.chunk.samples and sequence.n_output == 0 and sequence.prefix is not None:
                self._keeping.note(sequence.prefix, len(sequence.prompt) - sequence.n_cached)

    def _save_some(self) -> None:
        self._keeping.save_some(self._scheduler.window_answers)

    def _told(self, outcome: Sampled) -> tuple[RequestStream, list[Event]] | None:
        """One sampled token as events, and whom they are for. None where there are none, or they were sent because
        they are the last."""
        work = self._works[outcome.sequence.id]
        events = work.began(self._clock())
        said, finish = work.hear(self._backend, outcome.token, outcome.finish)
        events += said
        if finish:
            self._end(work, finish, events)
            return None
        return (work.ticket.stream, events) if events else None

    def _fail(self, work: Work, error: EngineError) -> None:
        """Ends a request whose answer cannot go on; the others do."""
        self._scheduler.remove(work.sequence)
        work.sampler.close()
        del self._works[work.sequence.id]
        self._book.close(work.ticket, Failed(error), work.rest())

    def _end(self, work: Work, reason: FinishReason, events: list[Event]) -> None:
        """Takes a request out and sends its last events."""
        self._scheduler.remove(work.sequence)
        work.sampler.close()
        del self._works[work.sequence.id]
        if reason == "cancelled":
            events = [*events, *work.rest()]
        self._book.close(work.ticket, work.ticket.finished(reason, self._clock()), events)

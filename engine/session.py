"""One loaded model at work: plan → move → decode → sample → events."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache, partial

from engine.backend import Backend, KvAllocationFailed, NativeFailure
from engine.errors import ConstraintError, ContextOverflow, EngineDead, EngineError, KvCacheFull
from engine.events import Event, Failed, FinishReason, KvUsage
from engine.kv_cache.op_executor import KvOpExecutor
from engine.kv_cache.prefix_cache import MIN_SAVED
from engine.kv_cache.snapshot_policy import SnapshotPolicy
from engine.kv_cache.snapshot_store import SnapshotStore
from engine.output.retokenizer import Retokenizer
from engine.priority import BACKGROUND, ENDPOINT, WINDOW
from engine.redacted_traceback import redacted_traceback
from engine.request_state import RequestRegistry, RequestState
from engine.running_request import RunningRequest
from engine.scheduler.batch_plan import BatchPlan, SampledToken
from engine.scheduler.prefill_budget import PrefillBudget
from engine.scheduler.scheduler import Scheduler
from engine.scheduler.sequence import Sequence
from engine.scheduler.thread_tuner import ThreadCountPolicy
from engine.stream import RequestStream, deliver_all

log = logging.getLogger(__name__)


class Session:
    """Native thread only. `resubmit` is called, from any thread, when a state that waited for a snapshot may come
    again."""

    def __init__(
        self,
        backend: Backend,
        book: RequestRegistry,
        snapshots: SnapshotStore | None,
        resubmit: Callable[[RequestState], None],
        clock: Callable[[], float],
    ) -> None:
        self._backend = backend
        self._book = book
        self._snapshots = snapshots
        self._resubmit = resubmit
        self._clock = clock
        self._scheduler = Scheduler(backend.limits, backend.vocabulary.ends, snapshots)
        self._threads = ThreadCountPolicy(backend.limits.thread_counts)
        self._pacer = PrefillBudget(backend.limits.n_batch)
        self._works: dict[str, RunningRequest] = {}
        self._restoring: set[RequestState] = set()
        """Wait until their snapshot is read from disk."""
        usual_tokens = partial(backend.tokenize, add_special=False, parse_special=False)
        self._usual_tokens = lru_cache(4096)(usual_tokens)  # the same words are tokenised often
        self._keeping = SnapshotPolicy(backend, self._scheduler.cache, snapshots)
        self._mover = KvOpExecutor(backend, snapshots)

    @property
    def idle(self) -> bool:
        return self._scheduler.idle

    @property
    def has_spare_time(self) -> bool:
        """Whether something else may be done between two steps, which is then told to `charge`."""
        return not self._scheduler.window_is_decoding or self._pacer.rested

    def charge(self, seconds: float) -> None:
        if self._scheduler.window_is_decoding:
            self._pacer.charge(seconds)

    @property
    def kv_usage(self) -> tuple[KvUsage, ...]:
        """Who holds what of the KV memory. Any thread."""
        n_cells = self._backend.limits.n_cells
        return tuple(
            KvUsage("endpoint" if priority == ENDPOINT else "window", owner, n / n_cells)
            for (priority, owner), n in self._scheduler.cache.held_by().items()
            if n
        )

    @property
    def backend(self) -> Backend:
        return self._backend

    def accept(self, state: RequestState) -> None:
        """Takes a prepared request in, or sends it to wait for its snapshot."""
        n_cells = self._backend.limits.n_cells
        self._restoring.discard(state)
        if state.cancelled.is_set():
            self._book.close(state, state.finished("cancelled", self._clock()))
        elif len(state.prompt) >= n_cells:  # the PromptBuilder checks this; only the tests' fake does not
            self._book.close(state, Failed(ContextOverflow(len(state.prompt), n_cells)))
        elif not self._waits_for_snapshot(state):
            request = state.request
            priority = BACKGROUND if request.background else WINDOW if request.origin == "window" else ENDPOINT
            max_tokens = request.max_tokens or n_cells
            sequence = Sequence(
                request.id,
                priority,
                state.prompt,
                max_tokens,
                needs_all_logits=request.prompt_logprobs,
                owner=request.owner,
                is_deterministic=request.sampling.is_deterministic,
                uses_cache=request.use_cache,
            )
            spelling = self._spelling(state)
            try:
                sampler = self._backend.sampler(request.sampling, state.prompt)
            except Exception as error:  # concerns this request only
                log.error("the sampler could not be made\n%s", redacted_traceback(error))
                self._book.close(state, Failed(EngineError(f"the sampler failed: {type(error).__name__}")))
                return
            state.sequence = sequence
            self._works[request.id] = RunningRequest(state, sequence, sampler, spelling)
            self._scheduler.add(sequence)

    def _spelling(self, state: RequestState) -> Retokenizer | None:
        """None where words stay as they were written."""
        backend = self._backend
        if not (backend.vocabulary.has_word_pretokenizer and backend.limits.supports_full_rollback):
            return None
        return Retokenizer(self._usual_tokens, backend.piece, len(state.prompt))

    def drop_cancelled(self) -> None:
        for state in [each for each in self._restoring if each.cancelled.is_set()]:
            self._restoring.discard(state)
            self._book.close(state, state.finished("cancelled", self._clock()))
        for work in [work for work in self._works.values() if work.state.cancelled.is_set()]:
            self._end(work, "cancelled", [])

    def step(self) -> None:
        """One decode and its events. Raises NativeFailure."""
        for work in self._works.values():
            if work.retokenized is not None:
                self._scheduler.retokenize(work.sequence, *work.retokenized)
                work.retokenized = None
        plan = self._decode()
        for entry in plan.entries:
            n, work = len(entry.chunk.tokens), self._works[entry.sequence.id]
            work.state.n_read = entry.chunk.start + n
            if entry.chunk.needs_all_logits:
                work.score_prompt(self._backend, entry.row - n + 1, entry.chunk.start, n)
        sampled, failed = self._sample(plan)
        self._note_what_was_read(plan)
        deliver_all([each for outcome in self._scheduler.commit(plan, sampled) if (each := self._told(outcome))])
        for work, error in failed:
            self._fail(work, error)
        for sequence in self._scheduler.take_rejected():
            self._fail(self._works[sequence.id], KvCacheFull(len(sequence.tokens)))
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
                log.error("the last snapshots could not be taken\n%s", redacted_traceback(error))
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
                log.error("a request could not be ended in order\n%s", redacted_traceback(error))
            self._end_for(work.state, cause, rest)
        for state in restoring:
            self._end_for(state, cause, [])

    def _end_for(self, state: RequestState, cause: EngineError, rest: list[Event]) -> None:
        cancelled = state.cancelled.is_set()
        last = state.finished("cancelled", self._clock()) if cancelled else Failed(cause)
        self._book.close(state, last, rest)

    def _sample(self, plan: BatchPlan) -> tuple[dict[str, int], list[tuple[RunningRequest, ConstraintError]]]:
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
            window_is_decoding = self._scheduler.window_is_decoding
            allowance = self._pacer.allowance(
                window_is_decoding, window_awaits_first_token=self._scheduler.window_awaits_first_token
            )
            plan = self._scheduler.plan(allowance)
            if not self._moved(plan):
                continue
            if not plan.entries:
                return plan
            repeatable = all(entry.sequence.is_deterministic for entry in plan.entries)
            # Another thread count rounds differently: for those it is changed only where steps have become slow.
            watched = repeatable or (window_is_decoding and plan.n_prompt_tokens > 0)
            n_threads = self._threads.choose(plan.n_tokens, watched=watched)
            started = self._clock()
            self._mark_admitted(plan, started)
            try:
                self._backend.decode([entry.chunk for entry in plan.entries], n_threads)
            except KvAllocationFailed:
                self._scheduler.roll_back(plan)
                if not self._scheduler.free_kv_space():
                    raise NativeFailure("the KV memory has no room for a single sequence") from None
                continue
            seconds = self._clock() - started
            self._threads.record(plan.n_tokens, seconds, watched=watched)
            self._pacer.record(plan.n_prompt_tokens, seconds, window_is_decoding)
            return plan

    def _see_what_is_held(self) -> None:
        """Before somebody is given a place: with a sliding window, prefixes lose their beginnings to others."""
        if self._backend.limits.window and self._scheduler.waiting:
            for prefix in self._scheduler.cache.prefixes:
                prefix.first_cached_token = self._backend.first_cached_token(prefix.slot)

    def _mark_admitted(self, plan: BatchPlan, now: float) -> None:
        for entry in plan.entries:
            state = self._works[entry.sequence.id].state
            if state.admitted_at is None:
                state.admitted_at, state.n_cached = now, entry.sequence.n_cached

    def _moved(self, plan: BatchPlan) -> bool:
        """Does a plan's moves. False where one could not be done, so that the plan no longer holds."""
        failed = self._mover.execute(plan.moves)
        if failed:
            self._scheduler.roll_back(plan)
        for slot in failed:
            self._scheduler.forget(slot)
        return not failed

    def _waits_for_snapshot(self, state: RequestState) -> bool:
        """Whether more of the prompt lies on disk than in memory; then it comes again when that was read."""
        if (
            self._snapshots is None
            or state.snapshot_requested
            or state.request.prompt_logprobs
            or not state.request.use_cache
        ):
            return False
        tokens = list(state.prompt[:-1])
        known = self._scheduler.cache.match(tokens)[1] if tokens else 0
        in_memory = self._snapshots.find(tokens)
        key = self._snapshots.wanted(tokens, max(known, len(in_memory[1]) if in_memory else 0) + MIN_SAVED)
        if key is None:
            return False
        state.snapshot_requested = True
        self._restoring.add(state)
        self._snapshots.fetch(key, lambda: self._resubmit(state))
        return True

    def _note_what_was_read(self, plan: BatchPlan) -> None:
        """A long prompt that is now read: a crash in the middle of its answer must not cost reading it again."""
        for entry in plan.entries:
            sequence = entry.sequence
            if entry.chunk.samples and sequence.n_output == 0 and sequence.prefix is not None:
                self._keeping.note(sequence.prefix, len(sequence.prompt) - sequence.n_cached)

    def _save_some(self) -> None:
        self._keeping.save_some(self._scheduler.window_is_decoding)

    def _told(self, outcome: SampledToken) -> tuple[RequestStream, list[Event]] | None:
        """One sampled token as events, and whom they are for. None where there are none, or they were sent because
        they are the last."""
        work = self._works[outcome.sequence.id]
        events = work.began(self._clock())
        said, finish = work.hear(self._backend, outcome.token, outcome.finish)
        events += said
        if finish:
            self._end(work, finish, events)
            return None
        return (work.state.stream, events) if events else None

    def _fail(self, work: RunningRequest, error: EngineError) -> None:
        """Ends a request whose answer cannot go on; the others do."""
        self._scheduler.remove(work.sequence)
        work.sampler.close()
        del self._works[work.sequence.id]
        self._book.close(work.state, Failed(error), work.rest())

    def _end(self, work: RunningRequest, reason: FinishReason, events: list[Event]) -> None:
        """Takes a request out and sends its last events."""
        self._scheduler.remove(work.sequence)
        work.sampler.close()
        del self._works[work.sequence.id]
        if reason == "cancelled":
            events = [*events, *work.rest()]
        self._book.close(work.state, work.state.finished(reason, self._clock()), events)

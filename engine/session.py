"""Runs the requests of one loaded chat model in steps: plan, KV memory operations, decode, sampling, events."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial

from engine.adapter import AdapterScales, fitted
from engine.backend import Backend, Interrupted, KvAllocationFailed, NativeFailure
from engine.draft_proposer import DraftProposer
from engine.errors import ConstraintError, ContextOverflow, EngineDead, EngineError, KvCacheFull
from engine.events import Event, Failed, FinishReason
from engine.kv_cache.op_executor import KvOpExecutor
from engine.kv_cache.prefix_cache import PrefixCache
from engine.kv_cache.snapshot_policy import SnapshotPolicy
from engine.kv_cache.snapshot_store import SnapshotStore
from engine.kv_memory import MIN_SNAPSHOT_TOKENS, common_prefix_length
from engine.output.retokenizer import Retokenizer
from engine.paced_delivery import PacedDelivery
from engine.priority import Origin, Priority
from engine.redacted_traceback import redacted_traceback
from engine.request_state import RequestRegistry, RequestState
from engine.running_request import RunningRequest
from engine.scheduler.prefill_budget import Pace, PrefillBudget
from engine.scheduler.scheduler import Scheduler
from engine.scheduler.sequence import BatchEntry, BatchPlan, SequenceState
from engine.status import KvUsage
from engine.step_interruption import MIN_REMAINING_S, StepInterruption
from engine.step_threads import StepThreads
from engine.stream import deliver_all

log = logging.getLogger(__name__)

MAX_RECOMPUTING_S = 1.0
"""A greedy request that runs alone computes cached tokens whose KV state was rounded differently again, so that it
always gives the same answer, if that takes at most this time. A seeded request does so in any case."""


class Session:
    """One loaded chat model with its requests, scheduler and KV cache. Used only on the native thread (the one that
    decodes), unless a docstring allows any thread."""

    def __init__(
        self,
        backend: Backend,
        registry: RequestRegistry,
        snapshots: SnapshotStore,
        resubmit: Callable[[RequestState], None],
        clock: Callable[[], float],
        has_actions: Callable[[], bool] = lambda: False,
    ) -> None:
        """`resubmit` is called, on any thread, when the KV snapshot of a request has been read. It must pass the
        request to `accept` again. `has_actions` returns whether actions are queued for the native thread, or another
        engine waits for it."""
        self._backend = backend
        self._registry = registry
        self._snapshots = snapshots
        self._resubmit = resubmit
        self._clock = clock
        self._cache = PrefixCache(backend.limits)
        self._adapter_scales = backend.info.adapter_scales
        """The scales that the model was loaded with."""
        self._scheduler = Scheduler(
            backend.limits, backend.vocabulary.eog_tokens, self._cache, snapshots, self._adapter_scales
        )
        self._ops = KvOpExecutor(backend, snapshots)
        self._snapshot_policy = SnapshotPolicy(backend, self._cache, snapshots)
        self._threads = StepThreads(backend.limits.thread_counts, lambda: snapshots.is_writing)
        self._drafts = DraftProposer(backend, self._scheduler, clock)
        self._prefill_budget = PrefillBudget(backend.limits.n_batch)
        self.interruption = StepInterruption(backend, has_actions, clock)
        self._delivery = PacedDelivery(backend.limits.delivery_interval_s)
        self._running: dict[str, RunningRequest] = {}
        """The requests that were added to the scheduler, by id; some of them still wait in its queue."""
        self._awaiting_snapshot: set[RequestState] = set()
        self._origins: dict[str, Origin] = {}
        """The origin of each owner of requests."""
        tokenize = partial(backend.tokenize, add_special=False, parse_special=False)
        self._tokenize_word = lru_cache(4096)(tokenize)

    @property
    def backend(self) -> Backend:
        return self._backend

    @property
    def idle(self) -> bool:
        return self._scheduler.idle

    @property
    def priority(self) -> Priority:
        """The highest priority of the requests that are not ended."""
        sequences = (*self._scheduler.running, *self._scheduler.waiting)
        return min((each.priority for each in sequences), default=Priority.BACKGROUND)

    @property
    def has_spare_time(self) -> bool:
        """Whether other work, such as embeddings, may run before the next step. Report the duration of that work to
        `charge`."""
        return not self._scheduler.pace.decode_share or self._prefill_budget.is_balanced

    def charge(self, seconds: float) -> None:
        self._prefill_budget.charge(seconds, self._scheduler.pace)

    @property
    def kv_usage(self) -> tuple[KvUsage, ...]:
        """Shares of the KV memory, and sizes of the states in host memory, by owner. May be read on any thread."""
        n_cells, shares = self._backend.limits.n_cells, dict[tuple[Origin, str], float]()
        for (priority, owner), n in self._cache.cells_by_owner().items():
            shares[priority.origin, owner] = shares.get((priority.origin, owner), 0.0) + n / n_cells
        sizes = {
            (self._origins.get(owner, "window"), owner): size
            for owner, size in self._snapshots.host_bytes_by_owner().items()
        }
        return tuple(
            KvUsage(*key, shares.get(key, 0.0), sizes.get(key, 0))
            for key in dict.fromkeys([*shares, *sizes])
            if shares.get(key) or sizes.get(key)
        )

    def accept(self, state: RequestState) -> None:
        """Admits a request whose prompt is built, or first reads its KV snapshot from disk."""
        n_cells = self._backend.limits.n_cells
        self._awaiting_snapshot.discard(state)
        if state.cancelled.is_set():
            self._registry.close(state, state.finished("cancelled", self._clock()))
        # PromptBuilder checks the length too, but tests can submit requests without PromptBuilder
        elif len(state.prompt) >= n_cells:
            self._registry.close(state, Failed(ContextOverflow(len(state.prompt), n_cells)))
        elif not self._fetch_snapshot(state):
            self._admit(state)

    def _admit(self, state: RequestState) -> None:
        request = state.request
        self._origins[request.owner] = request.priority.origin
        sequence = SequenceState(
            request.id,
            request.priority,
            state.prompt,
            request.max_tokens or self._backend.limits.n_cells,
            needs_all_logits=request.prompt_logprobs,
            owner=request.owner,
            is_deterministic=request.sampling.is_deterministic,
            max_recomputed=None if request.sampling.seed is not None else self._n_in(MAX_RECOMPUTING_S),
            uses_cache=request.use_cache,
            adapter_scales=self._scales_of(state),
        )
        retokenizer = self._retokenizer(state)
        try:
            sampler = self._backend.sampler(request.sampling, state.prompt)
        except Exception as error:  # the error affects this request only
            log.error("the sampler could not be made\n%s", redacted_traceback(error))
            self._registry.close(state, Failed(EngineError(f"the sampler failed: {type(error).__name__}")))
            return
        state.sequence = sequence
        self._running[request.id] = RunningRequest(state, sequence, sampler, retokenizer, *self._drafts.drafters(state))
        self._scheduler.add(sequence)

    def _scales_of(self, state: RequestState) -> AdapterScales:
        wanted = state.request.adapter_scales
        return self._adapter_scales if wanted is None else fitted(wanted, len(self._adapter_scales))

    def _n_in(self, seconds: float) -> int:
        """How many prompt tokens are computed in this time."""
        return int(seconds / self._prefill_budget.token_s)

    def _retokenizer(self, state: RequestState) -> Retokenizer | None:
        """Returns an object that retokenizes the answer word by word. Returns None if the tokenizer does not split at
        word boundaries, or if computed tokens cannot be replaced."""
        backend = self._backend
        if not (backend.vocabulary.has_word_pretokenizer and backend.limits.supports_full_rollback):
            return None
        return Retokenizer(self._tokenize_word, backend.piece, len(state.prompt))

    def _fetch_snapshot(self, state: RequestState) -> bool:
        """Starts reading a KV snapshot from disk if it covers more of the prompt than the states in memory do. Returns
        whether reading was started."""
        request = state.request
        if state.snapshot_requested or request.prompt_logprobs or not request.use_cache:
            return False
        if self._scales_of(state) != self._adapter_scales:  # no other states are on disk
            return False
        tokens = list(state.prompt[:-1])
        n_known = self._n_in_memory(tokens) if self._scheduler.adapter_scales == self._adapter_scales else 0
        key = self._snapshots.find_on_disk(tokens, n_known + MIN_SNAPSHOT_TOKENS)
        if key is None:
            return False
        state.snapshot_requested = True
        self._awaiting_snapshot.add(state)
        self._snapshots.fetch(key, lambda: self._resubmit(state))
        return True

    def _n_in_memory(self, tokens: list[int]) -> int:
        """How many of the first tokens are cached, or in a state in host memory."""
        n_cached = self._cache.match(tokens)[1] if tokens else 0
        saved = self._snapshots.find(tokens)
        return max(n_cached, common_prefix_length(saved.tokens, tokens) if saved else 0)

    def drop_cancelled(self) -> None:
        for state in [each for each in self._awaiting_snapshot if each.cancelled.is_set()]:
            self._awaiting_snapshot.discard(state)
            self._registry.close(state, state.finished("cancelled", self._clock()))
        for running in [each for each in self._running.values() if each.state.cancelled.is_set()]:
            self._finish(running, "cancelled", [])

    def step(self) -> None:
        """Computes one decode and sends its events. Raises NativeFailure."""
        for running in self._running.values():
            if running.retokenized is not None:
                running.forget_tokens(running.retokenized[0])
                self._scheduler.retokenize(running.sequence, *running.retokenized)
                running.retokenized = None
        self._drafts.propose(self._running)
        plan = self._decode()
        for entry in plan.entries:
            n, running = entry.n_certain, self._running[entry.sequence.id]
            running.state.n_computed = entry.chunk.start + n
            if entry.chunk.needs_all_logits:
                running.add_prompt_logprobs(self._backend, entry.last_row - n + 1, entry.chunk.start, n)
        before_output = [entry for entry in plan.entries if not entry.sequence.n_output]
        if before_output:
            self._report_progress(before_output)
            self._request_prompt_snapshots(before_output)
        outcomes = [self._sample(entry) for entry in plan.entries if entry.chunk.sample_last]
        self._scheduler.commit(plan)
        if plan.n_drafted:
            self._ops.execute(self._cache.take_ops())  # rejected draft tokens must not get into a snapshot
        texts = [(each.running.state.stream, each.events) for each in outcomes if each.events and not each.is_last]
        self._delivery.deliver(texts, self._clock())
        for outcome in outcomes:
            if outcome.error is not None:
                self._fail(outcome.running, outcome.error, outcome.events)
            elif outcome.finish is not None:
                self._finish(outcome.running, outcome.finish, outcome.events)
        for sequence in self._scheduler.take_rejected():
            self._fail(self._running[sequence.id], KvCacheFull(len(sequence.tokens)))
        if not self._running:
            self._delivery.flush()
        self.save_due_snapshots()

    def flush_events(self) -> None:
        """Delivers the events that are held. Call this before other work that delays the next step."""
        self._delivery.flush()

    def _report_progress(self, entries: Sequence[BatchEntry]) -> None:
        """Sends `PromptProgress` to the requests that want it. The step has computed tokens of their prompts."""
        states = [
            state for entry in entries if (state := self._running[entry.sequence.id].state).request.wants_progress
        ]
        if states:
            now = self._clock()
            deliver_all([(state.stream, [state.prompt_progress(now)]) for state in states])

    def forget(self, owners: Collection[str]) -> None:
        """Removes the idle prefixes and the saved KV states of the given owners from memory."""
        for prefix in [each for each in self._cache.prefixes if not each.in_use and each.owner in owners]:
            self._cache.drop(prefix)
        self._snapshots.forget(owners)

    def save_due_snapshots(self) -> None:
        self._snapshot_policy.save_due(window_is_decoding=self._scheduler.window_is_decoding)

    def close(self, cause: EngineError) -> None:
        """Ends every request with `cause`, saves the last KV snapshots, and frees the model."""
        self._end_all(cause)
        try:
            try:
                if not isinstance(cause, EngineDead):
                    self._snapshot_policy.save_at_unload()
            finally:
                self._snapshots.close()
        except Exception as error:  # any error, such as MemoryError: the model must be freed in any case
            log.error("the last snapshots could not be taken\n%s", redacted_traceback(error))
        self._backend.close()

    def _end_all(self, cause: EngineError) -> None:
        requests, self._running = self._running, {}
        awaiting_snapshot, self._awaiting_snapshot = self._awaiting_snapshot, set()
        for running in requests.values():
            events: list[Event] = []
            try:
                running.sampler.close()
                events = running.flush()
            except Exception as error:  # an error of one request must not keep the others open
                log.error("a request could not be ended in order\n%s", redacted_traceback(error))
            self._registry.close(running.state, running.state.ended_by(cause, self._clock()), events)
        for state in awaiting_snapshot:
            self._registry.close(state, state.ended_by(cause, self._clock()))

    def _decode(self) -> BatchPlan:
        """Plans and decodes until a decode succeeds, and returns its plan. The plan has no entries if a request was
        rejected, or if the decode was interrupted."""
        while True:
            self._update_first_cached_tokens()
            self._switch_adapters()
            pace = self._scheduler.pace
            plan = self._scheduler.plan(self._prefill_budget.tokens(pace), self._prefill_budget.n_beside_first_token)
            try:
                if self._execute_ops(plan) and (not plan.entries or self._decode_plan(plan, pace)):
                    return plan
            except Interrupted:
                self._scheduler.roll_back(plan, interrupted=True)
                return BatchPlan((), ())

    def _decode_plan(self, plan: BatchPlan, pace: Pace) -> bool:
        """Decodes a plan. If there is no KV memory for it, rolls the plan back and returns False. Raises Interrupted,
        NativeFailure."""
        n_threads = self._threads.choose(plan, len(self._scheduler.running))
        if plan.n_prompt_tokens:
            self._delivery.flush()
        started = self._clock()
        for entry in plan.entries:
            state = self._running[entry.sequence.id].state
            if state.admitted_at is None:
                state.admitted_at, state.n_cached = started, entry.sequence.n_cached
        try:
            self._run_decode(plan, n_threads)
        except KvAllocationFailed:
            self._scheduler.roll_back(plan)
            if not self._scheduler.free_kv_space():
                raise NativeFailure("the KV memory has no room for a single sequence") from None
            return False
        seconds = self._clock() - started
        self._threads.record(seconds)
        seconds = self._drafts.record(plan, seconds)
        beside_answers = plan.n_prompt_tokens > 0 and any(entry.is_decoding for entry in plan.entries)
        self._prefill_budget.record(plan.n_prompt_tokens, seconds, pace, beside_answers=beside_answers)
        return True

    def _switch_adapters(self) -> None:
        """Sets the adapter scales of the next step, if they differ from those of the last one."""
        scales = self._scheduler.switch_adapters()
        if scales is not None:
            self._ops.execute(self._cache.take_ops())
            self._snapshots.select(b"" if scales == self._adapter_scales else repr(scales).encode())
            self._backend.set_adapter_scales(scales)

    def _run_decode(self, plan: BatchPlan, n_threads: int) -> None:
        """Decodes a plan. The decode can be interrupted if it has only prompt tokens and takes long. Raises
        KvAllocationFailed, Interrupted, NativeFailure."""
        chunks = [entry.chunk for entry in plan.entries]
        forecast_s = self._prefill_budget.forecast_s(plan.n_prompt_tokens)
        is_interruptible = (
            forecast_s >= MIN_REMAINING_S
            and not any(entry.is_decoding for entry in plan.entries)
            and self._backend.limits.supports_full_rollback
        )
        if not is_interruptible:
            return self._backend.decode(chunks, n_threads)
        sequences = [entry.sequence for entry in plan.entries]
        if not self.interruption.begin(sequences, [self._running[each.id].state for each in sequences], forecast_s):
            raise Interrupted
        try:
            self._backend.decode(chunks, n_threads, interruptible=True)
        finally:
            self.interruption.end()

    def _update_first_cached_tokens(self) -> None:
        """Updates `first_cached_token` of every prefix. It changes only with a sliding window, because running
        sequences then overwrite the first cells of idle prefixes."""
        if self._backend.limits.sliding_window and self._scheduler.waiting:
            for prefix in self._cache.prefixes:
                prefix.first_cached_token = self._backend.first_cached_token(prefix.slot)

    def _execute_ops(self, plan: BatchPlan) -> bool:
        """Executes the KV memory operations of a plan. If one fails, rolls the plan back and returns False."""
        failed = self._ops.execute(plan.ops)
        if failed:
            self._scheduler.roll_back(plan)
        for slot in failed:
            self._scheduler.invalidate_slot(slot)
        return not failed

    def _sample(self, entry: BatchEntry) -> _Outcome:
        """Samples the next tokens of an entry, and adds them to the answer, until one differs from the draft or ends
        the answer. Without a draft this is one token.

        Every token is sampled and added as if there was no draft."""
        running, now = self._running[entry.sequence.id], self._clock()
        outcome = _Outcome(running)
        for n, drafted in enumerate([*entry.draft, None]):
            try:
                token = running.sample(self._backend, entry.first_sampled_row + n)
            except ConstraintError as error:
                outcome.error = error
                break
            finish = self._scheduler.append(entry.sequence, token)
            events, outcome.finish = running.accept(self._backend, token, finish, now)
            outcome.events += events
            if outcome.finish is not None or running.retokenized is not None or token != drafted:
                running.record_draft(entry.chunk.n_drafted, n, is_rejected=drafted is not None and token != drafted)
                break
        return outcome

    def _request_prompt_snapshots(self, entries: Sequence[BatchEntry]) -> None:
        """Requests the due snapshots of those prompts of which the step has computed the last token."""
        for entry in entries:
            sequence = entry.sequence
            if entry.chunk.sample_last and sequence.prefix is not None:
                self._snapshot_policy.prompt_computed(sequence.prefix, len(sequence.prompt) - sequence.n_cached)

    def _fail(self, running: RunningRequest, error: EngineError, events: Sequence[Event] = ()) -> None:
        self._remove(running)
        self._registry.close(running.state, Failed(error), [*events, *running.flush()])

    def _finish(self, running: RunningRequest, reason: FinishReason, events: list[Event]) -> None:
        self._remove(running)
        if reason == "cancelled":
            events = [*events, *running.flush()]
        self._registry.close(running.state, running.state.finished(reason, self._clock()), events)

    def _remove(self, running: RunningRequest) -> None:
        self._scheduler.remove(running.sequence)
        running.sampler.close()
        self._drafts.forget(running.sequence.id)
        del self._running[running.sequence.id]


@dataclass(slots=True)
class _Outcome:
    """What a step has sampled for one request."""

    running: RunningRequest
    events: list[Event] = field(default_factory=list)
    finish: FinishReason | None = None
    error: ConstraintError | None = None
    """Why no further token can be sampled: the constraint allows none."""

    @property
    def is_last(self) -> bool:
        """Whether the request ends, so that `events` are sent together with its last event."""
        return self.finish is not None or self.error is not None

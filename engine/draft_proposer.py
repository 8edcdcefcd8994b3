"""Proposes the draft tokens that the steps of a session verify."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from engine.backend import Backend, DraftTask
from engine.request_state import RequestState
from engine.running_request import RunningRequest
from engine.scheduler.scheduler import Scheduler
from engine.scheduler.sequence import BatchPlan, SequenceState
from engine.speculation.model_drafter import ModelDrafter
from engine.speculation.ngram_drafter import NgramDrafter
from engine.speculation.step_cost import StepCost

MAX_STEP_S, MAX_STEP_ALONE_S = 0.2, 0.8
"""Forecast duration of a step with draft tokens, at most: while several requests run, and for one alone."""


class DraftProposer:
    """Sets the drafts of the running sequences before each step, as many as are worth verifying. Used only on the
    native thread, the one that decodes."""

    def __init__(self, backend: Backend, scheduler: Scheduler, clock: Callable[[], float]) -> None:
        self._backend = backend
        self._clock = clock
        self._scheduler = scheduler
        self._step_cost = StepCost()

    def drafters(self, state: RequestState) -> tuple[NgramDrafter | None, ModelDrafter | None]:
        """Returns the drafters of a new request."""
        n_max, model = self._n_draft_max(state), self._backend.draft_model
        if not n_max:
            return None, None
        by_ngrams = NgramDrafter(n_max, self._backend.vocabulary.eog_tokens)
        return by_ngrams, ModelDrafter(model.kind, n_max, model.cost) if model is not None else None

    def _n_draft_max(self, state: RequestState) -> int:
        """Maximum number of draft tokens in a step of a request. 0 if the request wants none, or if rejected tokens
        cannot be removed from the KV memory."""
        limits, wanted = self._backend.limits, state.request.n_draft_max
        if not limits.supports_drafts:
            return 0
        return limits.n_outputs - 1 if wanted is None else min(wanted, limits.n_outputs - 1)

    def propose(self, running: Mapping[str, RunningRequest]) -> None:
        """Sets the drafts of the next step, given the requests by id. There are none while a prompt is computed.

        A greedy or seeded request that runs alone takes the same steps every time, so its drafts do not depend on
        measured times."""
        sequences = self._scheduler.running
        if self._scheduler.waiting or not all(each.is_decoding for each in sequences):
            return
        is_alone = len(sequences) == 1
        is_measured = not (is_alone and sequences[0].is_deterministic) if sequences else False
        cost = self._step_cost.of_draft(len(sequences)) if is_measured else None
        model_cost = self._step_cost.of_model_token(len(sequences)) if is_measured else None
        wanted = [(each, n) for each in sequences if (n := running[each.id].propose_draft(cost, model_cost))]
        if wanted:
            for request_id, draft in self._draft_by_model(wanted).items():
                running[request_id].set_model_draft(draft)
        if not any(each.draft for each in sequences):
            return
        limit_s = MAX_STEP_ALONE_S if is_alone else MAX_STEP_S
        n_rows = self._step_cost.n_rows_within(limit_s) if is_measured else self._backend.limits.n_outputs
        self._scheduler.n_draft_tokens = max(0, n_rows - len(sequences))

    def _draft_by_model(self, wanted: Sequence[tuple[SequenceState, int]]) -> dict[str, list[int]]:
        """Returns drafts of the draft model, given for each sequence the number of tokens."""
        if self._backend.draft_model is None:
            return {}
        tasks = [
            DraftTask(each.id, each.prefix.slot, each.tokens, len(each.prompt), n)
            for each, n in wanted
            if each.prefix is not None
        ]
        started = self._clock()
        drafts = self._backend.draft_model.draft(tasks)
        # A call that only reads tokens of a request, without a draft, is rare and not counted.
        if len(drafts) == len(wanted):
            self._step_cost.record_model(max(map(len, drafts.values())), self._clock() - started)
        return drafts

    def record(self, plan: BatchPlan, seconds: float) -> float:
        """Records the duration of a step. Returns how long it would have taken without drafts."""
        if not plan.n_prompt_tokens:
            self._step_cost.record(plan.n_tokens, seconds)
        return min(seconds, self._step_cost.seconds(plan.n_tokens - plan.n_drafted)) if plan.n_drafted else seconds

    def forget(self, request_id: str) -> None:
        """Frees what the draft model holds of a request that has ended."""
        if self._backend.draft_model is not None:
            self._backend.draft_model.forget(request_id)

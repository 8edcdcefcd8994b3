"""Chooses the number of threads for the next decode by measuring, because the best number depends on other processes.

llama.cpp's threads spin while they wait for each other, so one thread without a core delays all of them. Beside one
busy process, two threads on two cores are slower than one thread. This module uses no clock: its callers pass all
durations.
"""

from __future__ import annotations

from collections import deque

import psutil

N_PROBE_STEPS, MAX_PROBE_S = 3, 0.3
"""A probe tries another thread count for this number of steps. It ends earlier if its steps together take
MAX_PROBE_S."""

MIN_INTERVAL_S, MAX_INTERVAL_S, MAX_QUIET_INTERVAL_S = 0.25, 4.0, 60.0
"""Minimum and maximum time between two probes. The time is doubled after each probe that found nothing better, so that
probing costs little on a quiet machine. The second maximum applies while the highest thread count is the best one:
then a probe is needed only when steps become slow, and that starts one at once."""

CHANGED_INTERVAL_S = 0.05
"""Time from a change of the thread count to the next probe. A change can be wrong: if other load ends during a probe,
one thread looks better than two. Most such disturbances are short."""

BETTER_RATIO, ABORT_RATIO = 0.95, 1.25
"""A probe succeeds if its steps take less than BETTER_RATIO times as long as steps with the current thread count. It is
aborted if they take more than ABORT_RATIO times as long."""

SLOWDOWN_RATIO = 1.5
"""If recent steps are slower than the average by this ratio, another process has probably started."""


def candidate_thread_counts(n_cores: int) -> tuple[int, ...]:
    """The thread counts to choose from: 1 2 3 4 6 8 12 16 …, up to and including `n_cores`."""
    counts = {1, n_cores}
    power = 1
    while power <= n_cores:
        counts |= {power, power + power // 2}
        power *= 2
    return tuple(sorted(count for count in counts if count <= n_cores))


def thread_counts(n_threads: int) -> tuple[int, ...]:
    """Thread counts to choose from: `n_threads` alone, or with 0 the candidates for this machine's physical cores."""
    return (n_threads,) if n_threads else candidate_thread_counts(psutil.cpu_count(logical=False) or 1)


class ThreadTuner:
    """Finds the fastest thread count for one kind of step, by probing the next lower and the next higher count."""

    def __init__(self, counts: tuple[int, ...], average_cost_s: float = 0.0) -> None:
        """`counts` are in ascending order. The last one is used first. `average_cost_s` is what steps are expected to
        cost; 0 if that is not known."""
        self._counts = counts
        self._best = len(counts) - 1
        self._probed: int | None = None
        self._direction = -1
        self._probe_costs: list[float] = []
        self._probe_s = 0.0
        self._recent_costs: deque[float] = deque(maxlen=N_PROBE_STEPS)
        self._is_slowed = False
        self._average_cost = average_cost_s
        self._since_probe_s = 0.0
        self._interval_s = MIN_INTERVAL_S
        self._probe_requested = False

    @property
    def may_improve(self) -> bool:
        """Whether another thread count may be better: the best one is not the highest, or a probe was requested."""
        return self._probe_requested or self._best < len(self._counts) - 1

    @property
    def best(self) -> int:
        """The best known thread count."""
        return self._counts[self._best]

    @property
    def average_cost_s(self) -> float:
        """Average cost of the steps with the best thread count; 0 if there were none."""
        return self._average_cost

    @property
    def n_threads(self) -> int:
        """Thread count for the next step."""
        return self._counts[self._best if self._probed is None else self._probed]

    @property
    def is_probing(self) -> bool:
        return self._probed is not None

    def postpone_probe(self) -> None:
        """Ends the current probe, unless it was started because steps had become slow."""
        if not self._is_slowed:
            self._probed = None

    def request_probe(self) -> None:
        """Makes the next probe start soon, because conditions on the machine have changed."""
        self._since_probe_s = self._interval_s = MIN_INTERVAL_S
        self._probe_requested = True

    def record(self, cost_s: float, step_s: float, *, may_explore: bool = True) -> bool:
        """Records a step with `n_threads` threads. `step_s` is its duration, `cost_s` its duration per comparable unit
        of work. Returns True if another thread count became the best one.

        Without `may_explore`, a probe starts only when steps have become slow."""
        if len(self._counts) == 1:
            return False
        if self._probed is not None:
            return self._record_probe(self._probed, cost_s, step_s)
        self._record_step(cost_s, step_s, may_explore)
        return False

    def _record_step(self, cost_s: float, step_s: float, may_explore: bool) -> None:
        self._recent_costs.append(cost_s)
        average_before = self._average_cost or cost_s
        self._average_cost = 0.9 * average_before + 0.1 * cost_s
        self._since_probe_s += step_s
        if len(self._recent_costs) < N_PROBE_STEPS and self._since_probe_s < MAX_PROBE_S:
            return
        self._is_slowed = _mean(self._recent_costs) > SLOWDOWN_RATIO * average_before
        if self._is_slowed:
            self._interval_s = MIN_INTERVAL_S
        if self._is_slowed or (may_explore and self._since_probe_s >= self._interval_s):
            self._start_probe()

    def _start_probe(self) -> None:
        if not 0 <= self._best + self._direction < len(self._counts):
            self._direction = -self._direction
        self._probed = self._best + self._direction
        self._probe_requested = False
        self._probe_costs = []
        self._probe_s = 0.0

    def _record_probe(self, probed: int, cost_s: float, step_s: float) -> bool:
        """Records a step of the current probe, and ends the probe after enough steps. Returns True if the probed thread
        count becomes the best one."""
        self._probe_costs.append(cost_s)
        self._probe_s += step_s
        current_cost, probed_cost = _mean(self._recent_costs), _mean(self._probe_costs)
        needs_more = len(self._probe_costs) < N_PROBE_STEPS and self._probe_s < MAX_PROBE_S
        if needs_more and probed_cost < ABORT_RATIO * current_cost:
            return False
        is_better = probed_cost < BETTER_RATIO * current_cost
        if is_better:
            self._best = probed
            self._average_cost = probed_cost
            self._recent_costs.clear()
            self._interval_s = CHANGED_INTERVAL_S
        else:
            self._direction = -self._direction
            is_highest = self._best == len(self._counts) - 1
            self._interval_s = min(2 * self._interval_s, MAX_QUIET_INTERVAL_S if is_highest else MAX_INTERVAL_S)
        self._probed = None
        self._since_probe_s = 0.0
        return is_better


class ThreadCountPolicy:
    """Chooses thread counts separately for steps of 1 token, of 2 to 4, of 5 to 16, and for larger steps, which contain
    prompts."""

    def __init__(self, counts: tuple[int, ...]) -> None:
        self._tuners = {kind: ThreadTuner(counts) for kind in ("one", "few", "many", "prompt")}
        self._typical_s: dict[int, float] = {}
        """Average duration of decode steps with more than one token, by the number of tokens."""
        self._last_decode: ThreadTuner | None = None
        self._counts = counts
        self._reproducible = ThreadTuner(counts)

    def start_reproducible(self) -> None:
        """Begins a request whose steps call `choose_reproducible`.

        If fewer threads are known to be better, another process was busy. The steps are then compared with the cost
        that is known, so that they do not remain slow while that process is still busy."""
        one = self._tuners["one"]
        known_cost_s = one.average_cost_s if one.best < self._counts[-1] else 0.0
        self._reproducible = ThreadTuner(self._counts, known_cost_s)

    def choose_reproducible(self) -> int:
        """Returns the thread count for a step whose rounding depends on it: the highest count, unless steps of the same
        request have become slow. Call `record_reproducible` after the step."""
        return self._reproducible.n_threads

    def record_reproducible(self, step_s: float) -> None:
        self._reproducible.record(step_s, step_s, may_explore=False)

    def choose(self, n_tokens: int, *, may_explore: bool = True) -> int:
        """Returns the thread count for a step of `n_tokens` tokens. With `may_explore=False`, no other count is tried.
        Pass this if a slower count would delay a visible answer."""
        if not may_explore:
            self._tuner(n_tokens).postpone_probe()
        return self._tuner(n_tokens).n_threads

    @property
    def n_threads_beside_answers(self) -> int:
        """Thread count for a step that has both tokens of answers and prompt tokens. Do not record its duration.

        A probe in such a step could make its answers wait several times as long, and its duration is not comparable:
        late tokens of a long prompt take three times as long as early ones."""
        best = self._tuners["prompt"].best
        return best if self._last_decode is None else min(best, self._last_decode.best)

    def record(self, n_tokens: int, step_s: float, *, may_explore: bool = True) -> None:
        """Records the duration of the step for which `choose` was called last."""
        tuner = self._tuner(n_tokens)
        cost_s = self._cost(n_tokens, step_s)
        if n_tokens <= 16:
            self._last_decode = tuner
        # Prompts are compute-bound and gain from every core unless another process is busy. Decode steps detect such a
        # process at a lower cost, so prompts are probed only after decode steps have found a change.
        may_explore = may_explore and (tuner is not self._tuners["prompt"] or tuner.may_improve)
        if tuner.record(cost_s, step_s, may_explore=may_explore):
            for other in self._tuners.values():
                if other is not tuner:
                    other.request_probe()

    def _cost(self, n_tokens: int, step_s: float) -> float:
        """The duration of a step, in a unit in which all steps of one kind are comparable.

        With draft tokens, successive steps of one kind have different numbers of tokens. Their durations are divided by
        what is usual for the number, otherwise a step with more tokens would look as if the machine had become slow."""
        if n_tokens > 16:
            return step_s / n_tokens
        if n_tokens == 1:
            return step_s
        usual_s = self._typical_s.get(n_tokens, step_s)
        if self._tuner(n_tokens).is_probing:
            return step_s / usual_s
        self._typical_s[n_tokens] = 0.9 * usual_s + 0.1 * step_s
        return step_s / usual_s

    def _tuner(self, n_tokens: int) -> ThreadTuner:
        kind = "one" if n_tokens == 1 else "few" if n_tokens <= 4 else "many" if n_tokens <= 16 else "prompt"
        return self._tuners[kind]


def _mean(values: deque[float] | list[float]) -> float:
    return sum(values) / len(values)

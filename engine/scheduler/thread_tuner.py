"""How many threads the next decode uses: found by measuring, since no setting is right while others run too.

llama.cpp's threads wait for each other spinning, so one that is kept off its core holds up all: beside one busy
process, two threads on two cores are slower than one. Pure: it is told the seconds, and asks for no clock.
"""

from __future__ import annotations

from collections import deque

N_PROBE, ENOUGH_S = 3, 0.3
"""Steps by which a count is judged; fewer where they take this long together."""

MIN_INTERVAL_S, MAX_INTERVAL_S = 0.25, 4.0
"""Time between two probes: doubled with each that found nothing better, so that a quiet machine loses nothing."""

CLEARLY_FASTER, CLEARLY_SLOWER = 0.95, 1.25
"""A probed step this much slower than the usual ends its probe: looking must cost little."""

SLOWED_DOWN = 1.5
"""A few steps in a row this much above the usual: somebody else has come."""


def candidate_thread_counts(n_cores: int) -> tuple[int, ...]:
    """The counts that are tried, up to `n_cores`: 1 2 3 4 6 8 12 16 …"""
    counts = {1, n_cores}
    power = 1
    while power <= n_cores:
        counts |= {power, power + power // 2}
        power *= 2
    return tuple(sorted(count for count in counts if count <= n_cores))


class ThreadTuner:
    """Finds the fastest count for steps of one kind, and keeps looking."""

    def __init__(self, counts: tuple[int, ...]) -> None:
        """Starts with the last of `counts`, which are in rising order."""
        self._counts = counts
        self._at = len(counts) - 1
        self._probed: int | None = None
        self._direction = -1
        self._probe: list[float] = []
        self._probe_s = 0.0
        self._recent: deque[float] = deque(maxlen=N_PROBE)
        self._slowed = False
        self._usual = 0.0
        self._since_probe_s = 0.0
        self._interval_s = MIN_INTERVAL_S
        self._nudged = False

    @property
    def may_gain(self) -> bool:
        """Whether a look may be worth it even where all cores are known to help each other: it uses fewer than it
        could, or something has changed on the machine."""
        return self._nudged or self._at < len(self._counts) - 1

    @property
    def n_threads(self) -> int:
        """For the next step."""
        return self._counts[self._at if self._probed is None else self._probed]

    def put_off(self) -> None:
        """Not now: a probe that has only curiosity for its reason waits."""
        if not self._slowed:
            self._probed = None

    def record(self, cost_s: float, step_s: float, *, curious: bool = True) -> bool:
        """What the step with `n_threads` took: `step_s`, which is `cost_s` for each unit of comparable work. Who is
        not `curious` probes only because steps have become slow.

        True where it made another count the best."""
        if len(self._counts) == 1:
            return False
        if self._probed is not None:
            return self._judge(self._probed, cost_s, step_s)
        self._watch(cost_s, step_s, curious)
        return False

    def _watch(self, cost_s: float, step_s: float, curious: bool) -> None:
        self._recent.append(cost_s)
        self._usual = cost_s if not self._usual else 0.9 * self._usual + 0.1 * cost_s
        self._since_probe_s += step_s
        if len(self._recent) < N_PROBE and self._since_probe_s < ENOUGH_S:
            return
        self._slowed = sum(self._recent) / len(self._recent) > SLOWED_DOWN * self._usual
        if self._slowed:
            self._interval_s = MIN_INTERVAL_S
        if self._slowed or (curious and self._since_probe_s >= self._interval_s):
            self._start_probe()

    def nudge(self) -> None:
        """Something has changed on the machine: look again soon."""
        self._since_probe_s = self._interval_s = MIN_INTERVAL_S
        self._nudged = True

    def _start_probe(self) -> None:
        if not 0 <= self._at + self._direction < len(self._counts):
            self._direction = -self._direction
        self._probed = self._at + self._direction
        self._nudged = False
        self._probe = []
        self._probe_s = 0.0

    def _judge(self, probed_at: int, cost_s: float, step_s: float) -> bool:
        """Ends the probe when it has seen enough. True where the probed count is kept."""
        self._probe.append(cost_s)
        self._probe_s += step_s
        now = sum(self._recent) / len(self._recent)
        probed = sum(self._probe) / len(self._probe)
        if len(self._probe) < N_PROBE and self._probe_s < ENOUGH_S and probed < CLEARLY_SLOWER * now:
            return False
        better = probed < CLEARLY_FASTER * now
        if better:
            self._at = probed_at
            self._usual = probed
            self._recent.clear()
            self._interval_s = MIN_INTERVAL_S
        else:
            self._direction = -self._direction
            self._interval_s = min(2 * self._interval_s, MAX_INTERVAL_S)
        self._probed = None
        self._since_probe_s = 0.0
        return better


class ThreadCountPolicy:
    """Separate counts for decoding one sequence, a few, many, and for prompts, whose work differs in kind."""

    def __init__(self, counts: tuple[int, ...]) -> None:
        self._tuners = {kind: ThreadTuner(counts) for kind in ("one", "few", "many", "prompt")}

    def choose(self, n_tokens: int, *, watched: bool = False) -> int:
        """For a step of `n_tokens`. It is `watched` where it reads a prompt while a person's answer waits for it: a
        wrong count would double the wait, so that none is tried out of mere curiosity."""
        if watched:
            self._tuner(n_tokens).put_off()
        return self._tuner(n_tokens).n_threads

    def record(self, n_tokens: int, step_s: float, *, watched: bool = False) -> None:
        """The step for which `choose` was asked last took `step_s`."""
        cost_s = step_s / n_tokens if n_tokens > 16 else step_s
        tuner = self._tuner(n_tokens)
        # Reading is bound by computing: it gains from every core, unless somebody else is there. That shows in the
        # other steps too, whose probes cost less: one of a prompt can double the wait for a first word.
        curious = not watched and (tuner is not self._tuners["prompt"] or tuner.may_gain)
        if tuner.record(cost_s, step_s, curious=curious):
            for other in self._tuners.values():
                if other is not tuner:
                    other.nudge()

    def _tuner(self, n_tokens: int) -> ThreadTuner:
        kind = "one" if n_tokens == 1 else "few" if n_tokens <= 4 else "many" if n_tokens <= 16 else "prompt"
        return self._tuners[kind]

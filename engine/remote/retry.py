"""When a request that was not answered is sent again."""

from __future__ import annotations

import time
from collections.abc import Callable

from engine.errors import EngineError, ServerBusy, ServerFailed, ServerUnreachable

MAX_TRIES = 3
MAX_TOTAL_S = 20.0
"""No try begins later than this after the first one."""

UNREACHABLE_DELAYS_S = (0.5, 1.5)
BUSY_DELAYS_S = (1.0, 4.0)

_GATEWAY_STATUSES = (502, 504)


class RetryPlan:
    """The tries of one request. It begins with the first try."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._n_tries = 0

    def delay_s(self, error: EngineError) -> float | None:
        """The delay before the next try after one that failed; None if there is none."""
        self._n_tries += 1
        if self._n_tries >= MAX_TRIES:
            return None
        at = self._n_tries - 1
        match error:
            case ServerBusy(retry_after_s=float(wanted)):
                delay = wanted
            case ServerBusy():
                delay = BUSY_DELAYS_S[at]
            case ServerUnreachable(is_transient=True):
                delay = UNREACHABLE_DELAYS_S[at]
            case ServerFailed(status=status) if status in _GATEWAY_STATUSES:
                delay = UNREACHABLE_DELAYS_S[at]
            case _:
                return None
        return delay if self._clock() - self._began + delay <= MAX_TOTAL_S else None

"""Checks the limits of named keys: requests in progress, and tokens a day."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from api.authentication import KeyHolder
from api.errors import KeyLimitReached
from api.request_record import RequestRecord, RequestView

DAY_S = 86400
BUSY_RETRY_S = 2


class KeyQuotas:
    """Used on the endpoint's event loop only. Days begin at midnight (UTC)."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._day = 0
        self._n_tokens: dict[str, int] = {}
        """Tokens of the day, by the id of the key's holder."""

    def check(self, n: int, holder: KeyHolder, running: Iterable[RequestRecord]) -> None:
        """Raises KeyLimitReached if the holder may not begin `n` more requests. An answer in progress may exceed the
        tokens of the day."""
        limits = holder.limits
        if limits.n_requests is not None:
            n_running = sum(record.client.holder.id == holder.id for record in running)
            if n_running + n > limits.n_requests:
                raise KeyLimitReached(f"{limits.n_requests} requests at once", BUSY_RETRY_S)
        if limits.tokens_per_day is not None:
            self._begin_day()
            if self._n_tokens.get(holder.id, 0) >= limits.tokens_per_day:
                left_s = DAY_S - int(self._clock()) % DAY_S
                raise KeyLimitReached(f"{limits.tokens_per_day} tokens a day", left_s)

    def count(self, holder: KeyHolder, ended: RequestView) -> None:
        """Counts the tokens of a request that has ended."""
        if not holder.sees_all:
            self._begin_day()
            self._n_tokens[holder.id] = self._n_tokens.get(holder.id, 0) + ended.n_prompt + ended.n_output

    def _begin_day(self) -> None:
        day = int(self._clock()) // DAY_S
        if day != self._day:
            self._day = day
            self._n_tokens.clear()

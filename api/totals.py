"""What has been served since the start, in sum."""

from __future__ import annotations

from dataclasses import dataclass

from api.request_record import RequestView
from engine.events import Event, Failed, Finished


@dataclass(slots=True)
class KeyUsage:
    """What came with one key, since the start."""

    n_requests: int = 0
    n_tokens_in: int = 0
    """Of prompts, with what was cached."""
    n_tokens_out: int = 0

    def add(self, other: KeyUsage) -> None:
        self.n_requests += other.n_requests
        self.n_tokens_in += other.n_tokens_in
        self.n_tokens_out += other.n_tokens_out

    def count(self, ended: RequestView) -> None:
        self.n_requests += 1
        self.n_tokens_in += ended.n_prompt
        self.n_tokens_out += ended.n_output


@dataclass(slots=True)
class Totals:
    """Belongs to the endpoint's loop."""

    n_finished: int = 0
    n_cancelled: int = 0
    n_failed: int = 0
    n_read: int = 0
    """Tokens of prompts that were computed."""
    n_cached: int = 0
    n_output: int = 0
    prefill_s: float = 0.0
    decode_s: float = 0.0

    def count(self, last: Event) -> None:
        """Takes a request's last event; others change nothing."""
        match last:
            case Failed():
                self.n_failed += 1
            case Finished(reason=reason, usage=usage, timings=timings):
                self.n_cancelled += reason == "cancelled"
                self.n_finished += reason != "cancelled"
                self.n_read += usage.n_prompt - usage.n_cached
                self.n_cached += usage.n_cached
                self.n_output += usage.n_output
                self.prefill_s += timings.prefill_s
                self.decode_s += timings.decode_s

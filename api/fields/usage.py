"""Counts and times of an answer, as OpenAI and llama.cpp write them."""

from __future__ import annotations

from collections.abc import Sequence

from engine.events import Timings, Usage
from engine.request_state import RequestProgress


def usage(counts: Sequence[Usage], n_prompts: int = 1, n_reasoning: int = 0) -> dict[str, object]:
    """Of all choices of an answer: a prompt counts once, however many choices it has. `counts` has as many for each
    of the `n_prompts` prompts."""
    firsts = counts[:: max(len(counts) // n_prompts, 1)]
    n_prompt = sum(each.n_prompt for each in firsts)
    n_output = sum(each.n_output for each in counts)
    shown: dict[str, object] = {
        "prompt_tokens": n_prompt,
        "completion_tokens": n_output,
        "total_tokens": n_prompt + n_output,
        "prompt_tokens_details": {"cached_tokens": sum(each.n_cached for each in firsts)},
    }
    if n_reasoning:
        shown["completion_tokens_details"] = {"reasoning_tokens": n_reasoning}
    return shown


def timings(counts: Usage, spent: Timings) -> dict[str, float]:
    """llama.cpp's names, which tools for local models show."""
    n_read = counts.n_prompt - counts.n_cached
    return {
        "cache_n": counts.n_cached,
        "prompt_n": n_read,
        "prompt_ms": _ms(spent.prefill_s),
        "prompt_per_token_ms": _ms(_ratio(spent.prefill_s, n_read)),
        "prompt_per_second": round(_ratio(n_read, spent.prefill_s), 3),
        "predicted_n": counts.n_output,
        "predicted_ms": _ms(spent.decode_s),
        "predicted_per_token_ms": _ms(_ratio(spent.decode_s, counts.n_output)),
        "predicted_per_second": round(_ratio(counts.n_output, spent.decode_s), 3),
    }


def timings_so_far(progress: RequestProgress) -> dict[str, float]:
    """As `timings`, of an answer that is still being written."""
    counts = Usage(progress.n_prompt, progress.n_cached, progress.n_output)
    return timings(counts, Timings(0.0, progress.prefill_s, progress.decode_s, 0.0))


def prompt_progress(progress: RequestProgress) -> dict[str, object]:
    """llama.cpp's report on a prompt that is being read. `processed` includes the cached tokens."""
    return {
        "total": progress.n_prompt,
        "cache": progress.n_cached,
        "processed": progress.n_read,
        "time_ms": round(progress.prefill_s * 1000),
    }


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0

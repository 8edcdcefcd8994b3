"""Token counts, timings and prompt progress of an answer, in OpenAI's and llama.cpp's formats."""

from __future__ import annotations

from collections.abc import Sequence

from engine.events import PromptProgress, Timings, Usage
from engine.request_state import RequestProgress


def usage(counts: Sequence[Usage], n_prompts: int = 1, n_reasoning: int = 0) -> dict[str, object]:
    """Returns OpenAI's `usage`, summed over all choices. Each prompt is counted once, however many choices it has.

    `counts` holds the choices of the first prompt, then those of the second, and so on. All `n_prompts` prompts have
    the same number of choices."""
    firsts = counts[:: max(len(counts) // n_prompts, 1)]
    n_prompt = sum(each.n_prompt for each in firsts)
    n_output = sum(each.n_output for each in counts)
    total: dict[str, object] = {
        "prompt_tokens": n_prompt,
        "completion_tokens": n_output,
        "total_tokens": n_prompt + n_output,
        "prompt_tokens_details": {"cached_tokens": sum(each.n_cached for each in firsts)},
    }
    if n_reasoning:
        total["completion_tokens_details"] = {"reasoning_tokens": n_reasoning}
    return total


def timings(counts: Usage, spent: Timings) -> dict[str, float]:
    """Returns llama.cpp's `timings` of a complete answer. Clients for local models display them. The counts of draft
    tokens are included only if there were any, as in llama.cpp."""
    n_read = counts.n_prompt - counts.n_cached
    drafts = {"draft_n": counts.n_drafted, "draft_n_accepted": counts.n_accepted} if counts.n_drafted else {}
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
        **drafts,
    }


def timings_in_progress(progress: RequestProgress) -> dict[str, float]:
    """Returns llama.cpp's `timings` of an answer that is still being generated."""
    counts = Usage(progress.n_prompt, progress.n_cached, progress.n_output, progress.n_drafted, progress.n_accepted)
    return timings(counts, Timings(0.0, progress.prefill_s, progress.decode_s, 0.0))


def prompt_progress(progress: PromptProgress) -> dict[str, object]:
    """Returns llama.cpp's `prompt_progress`, in which `processed` includes cached tokens."""
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

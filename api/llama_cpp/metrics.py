"""Metrics for Prometheus. A metric that llama.cpp also has gets the same name here, so that dashboards made for
llama.cpp work."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from api.activity import Activity
from api.authentication import KeyHolder

__all__ = ["CONTENT_TYPE_LATEST", "exposition"]


def exposition(activity: Activity, holder: KeyHolder) -> bytes:
    """Returns the current metrics in Prometheus' text format. Includes the usage of only those keys that `holder` may
    see."""
    registry = CollectorRegistry()
    registry.register(_Collector(activity, holder))
    return bytes(generate_latest(registry))


class _Collector:
    def __init__(self, activity: Activity, holder: KeyHolder) -> None:
        self._activity = activity
        self._holder = holder

    def collect(self) -> Iterator[Metric]:
        totals = self._activity.totals
        for name, what, value in (
            ("llamacpp:prompt_tokens", "Tokens of prompts that were computed.", totals.n_read),
            ("llamacpp:prompt_seconds", "Time spent on reading prompts.", totals.prefill_s),
            ("llamacpp:tokens_predicted", "Tokens of answers.", totals.n_output),
            ("llamacpp:tokens_predicted_seconds", "Time spent on writing answers.", totals.decode_s),
            ("llamacpp:spec_decode_num_draft_tokens", "Draft tokens that were verified.", totals.n_drafted),
            ("llamacpp:spec_decode_num_accepted_tokens", "Draft tokens that were accepted.", totals.n_accepted),
            ("inglenook:prompt_tokens_cached", "Tokens of prompts that were not computed again.", totals.n_cached),
        ):
            yield CounterMetricFamily(name, what, value)
        requests = CounterMetricFamily("inglenook:requests", "Requests that have ended.", labels=["end"])
        for end, n in (
            ("finished", totals.n_finished),
            ("cancelled", totals.n_cancelled),
            ("failed", totals.n_failed),
        ):
            requests.add_metric([end], n)
        yield requests
        yield from self._drafts()
        yield from self._by_key()
        yield GaugeMetricFamily("llamacpp:requests_processing", "Requests under way.", len(self._activity))

    def _drafts(self) -> Iterator[Metric]:
        """Draft tokens by what proposed them: the text itself, a draft model, or the model's MTP layers."""
        drafted = CounterMetricFamily("inglenook:draft_tokens", "Draft tokens that were verified.", labels=["kind"])
        accepted = CounterMetricFamily(
            "inglenook:draft_tokens_accepted", "Draft tokens that were accepted.", labels=["kind"]
        )
        for each in self._activity.totals.drafts.values():
            drafted.add_metric([each.kind], each.n_drafted)
            accepted.add_metric([each.kind], each.n_accepted)
        yield drafted
        yield accepted

    def _by_key(self) -> Iterator[Metric]:
        usage = self._activity.usage(self._holder)
        for name, what, values in (
            ("requests", "Requests that have ended", {key: used.n_requests for key, used in usage.items()}),
            ("tokens_in", "Tokens of prompts", {key: used.n_tokens_in for key, used in usage.items()}),
            ("tokens_out", "Tokens of answers", {key: used.n_tokens_out for key, used in usage.items()}),
        ):
            family = CounterMetricFamily(f"inglenook:key_{name}", f"{what}, by the key's name.", labels=["key"])
            for key, value in values.items():
                family.add_metric([key], value)
            yield family
